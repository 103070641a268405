/** Control pictures as an option names them: what the control of that name looks at. */
export type PicturesChoice = { readonly name: string; readonly path: string };

/** `NAME=FILE|FOLDER`; undefined when it is none. */
export function parsePictures(value: string): PicturesChoice | undefined {
  const [, name, path] = /^([a-z][a-z0-9-]{0,31})=(.+)$/s.exec(value) ?? [];
  return name === undefined || path === undefined ? undefined : { name, path };
}

/** The value with its path changed. */
export function mapPicturesPath(value: string, change: (path: string) => string): string {
  const at = value.indexOf('=');
  return at < 0 ? value : `${value.slice(0, at + 1)}${change(value.slice(at + 1))}`;
}
