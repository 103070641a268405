import { randomInt } from 'node:crypto';
import { type Command, Option } from 'commander';
import { toNumber } from '../to-number.js';

type Flags = { readonly seed?: number; readonly output?: string; readonly [name: string]: unknown };

/** `pantomime character`: a picture of somebody whom the embedded model can animate. */
export function addCharacterCommand(program: Command, exit: (code: number) => void): void {
  const number = (flags: string, description: string) =>
    new Option(flags, description).argParser((word) => toNumber(word, 16));
  const command = program
    .command('character')
    .summary('draw a character that the embedded model knows how to animate')
    .description(
      'Draw a character of the kind that the embedded model was made for, and write it as PNG. Every seed is somebody else; the same seed is always the same.',
    )
    .addOption(number('--seed <N>', 'Who it is, a whole number (default: random)'))
    .addOption(new Option('-o, --output <FILE>', 'The PNG file; also --out (default: character-SEED.png)'))
    .addOption(number('-W, --width <PIXELS>', 'Width of the picture').default(256))
    .addOption(number('-H, --height <PIXELS>', 'Height of the picture').default(384))
    .addOption(new Option('-y, --overwrite', 'Replace a file of that name'))
    .action(async () => {
      const { drawCharacter } = await import('../../character.js');
      const { seed = randomInt(2 ** 31), output = `character-${seed}.png`, ...rest } = command.opts<Flags>();
      process.stdout.write(`${await drawCharacter({ seed, output, ...rest })}\n`);
      exit(0);
    });
}
