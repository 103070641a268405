import { existsSync } from 'node:fs';

/** Package managers by the file that gives them away, and how each is told to install something. */
const linux: readonly (readonly [file: string, command: string])[] = [
  ['/usr/bin/apt-get', 'sudo apt-get install'],
  ['/usr/bin/dnf', 'sudo dnf install'],
  ['/usr/bin/pacman', 'sudo pacman -S'],
  ['/sbin/apk', 'sudo apk add'],
];

/** What installs packages of the system here, e.g. `sudo apt-get install ffmpeg`. */
export function installCommand(packages: string): string {
  if (process.platform === 'darwin') return `brew install ${packages}`;
  if (process.platform === 'win32') return `winget install ${packages}`;
  const [, command] = linux.find(([file]) => existsSync(file)) ?? ['', 'sudo apt-get install'];
  return `${command} ${packages}`;
}
