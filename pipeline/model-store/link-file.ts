import { copyFile, link, mkdir, realpath, rename, rm, symlink } from 'node:fs/promises';
import { dirname, relative } from 'node:path';

/** How one file is made to be in two places; replaced in tests of systems that lack one. */
export type Links = {
  readonly symlink: (target: string, path: string) => Promise<void>;
  readonly link: (existing: string, path: string) => Promise<void>;
  readonly copyFile: (from: string, to: string) => Promise<void>;
};

const notAllowed: ReadonlySet<string> = new Set([
  'EPERM',
  'EACCES',
  'ENOSYS',
  'ENOTSUP',
  'EOPNOTSUPP',
  'EXDEV',
  'EMLINK',
  'EINVAL',
]);

/**
 * Puts `file` at `path` too, in place of what is there: as a relative symbolic link; where those are not allowed as a hard link;
 * where neither is, as a copy. It appears by rename.
 */
export async function linkFile(file: string, path: string, links: Links = { symlink, link, copyFile }): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const part = `${path}.${process.pid}.part`;
  await rm(part, { force: true });
  const real = await realpath(file);
  const target = relative(await realpath(dirname(path)), real);
  const ways = [() => links.symlink(target, part), () => links.link(real, part), () => links.copyFile(real, part)];
  for (const [i, way] of ways.entries()) {
    try {
      await way();
      break;
    } catch (error) {
      const refused = notAllowed.has((error as NodeJS.ErrnoException).code ?? '');
      if (!refused || i === ways.length - 1) throw error;
    }
  }
  await rename(part, path);
}
