import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { ROOT } from '../support/built.ts';
import { temporaryFolder } from '../support/folder.ts';
import { wavFile } from '../support/sound.ts';

const folder = temporaryFolder();

/** Sounds of each of twelve classes in a split, of 144 sounds in all. */
const EACH = { train: 4, unlabelled: 5, validation: 1, test: 2 };
type Split = keyof typeof EACH;
const SPLITS = Object.keys(EACH) as Split[];

// prettier-ignore
const VARIANTS = [
  'm1', 'm2', 'm3', 'm4', 'm5', 'm6', 'm7', 'm8', 'f1', 'f2', 'f3', 'f4', 'f5', 'croak', 'klatt', 'klatt2', 'klatt3', 'klatt4', 'Andy', 'Annie', 'linda',
  'steph', 'rob', 'paul', 'max', 'ed', 'ian', 'zac', 'belinda', 'david', 'edward', 'Alex', 'adam', 'quincy', 'Andrea', 'whisper',
];

/** A program in place of espeak-ng, which notes with which voice it says which word. */
function standIn(variants: readonly string[]): string {
  const bin = path.join(folder(), 'bin');
  mkdirSync(bin, { recursive: true });
  writeFileSync(path.join(bin, 'variants'), variants.map((name) => `5 variant M ${name} !v/${name}`).join('\n'));
  writeFileSync(path.join(bin, 'a.wav'), wavFile(Array.from({ length: 3000 }, (_, i) => Math.sin(i / 9)), { rate: 22_050 })); // prettier-ignore
  const script = `#!/bin/sh\nif [ "$1" = --voices=variant ]; then cat '${bin}/variants'; else echo "$2 $8" >> '${bin}/said'; cat '${bin}/a.wav'; fi\n`;
  writeFileSync(path.join(bin, 'espeak-ng'), script, { mode: 0o755 });
  return bin;
}

function make(bin: string, out: string): string {
  const args = [path.join(ROOT, 'scripts/keywords.mjs'), '--samples', '144', '--out', path.join(folder(), out)];
  const env = { ...process.env, PATH: `${bin}${path.delimiter}${process.env['PATH'] ?? ''}` };
  return execFileSync(process.execPath, args, { env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

const filesOf = (out: string, split: Split): string[] =>
  readdirSync(path.join(folder(), out, split), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.wav'))
    .sort();

it('keywords are spoken by voices of their own in each split, and those without a label lie in no folders of classes', () => {
  const bin = standIn(VARIANTS);
  expect(make(bin, 'a')).toMatch(/: 144 sounds\n$/);
  const said = readFileSync(path.join(bin, 'said'), 'utf8').trim().split('\n');
  // Eleven classes are spoken, the twelfth is silence.
  expect(said).toHaveLength(11 * 12);
  const timbres = SPLITS.map((split) => {
    const own = said.splice(0, 11 * EACH[split]).map((line) => line.split(' ')[0]!);
    return { split, timbres: new Set(own.map((voice) => voice.split('+')[1]!)) };
  });
  for (const { split, timbres: own } of timbres) {
    expect(own.size).toBeGreaterThan(2);
    for (const other of timbres)
      if (other.split !== split) expect([...own].filter((name) => other.timbres.has(name))).toEqual([]);
  }
  for (const split of SPLITS) {
    const files = filesOf('a', split);
    expect(files).toHaveLength(12 * EACH[split]);
    const classes = new Set(files.map((file) => path.dirname(file)));
    expect(classes.size).toBe(split === 'unlabelled' ? 1 : 12);
  }
  // The names of files without a label do not tell it, nor does their order.
  const drawn = filesOf('a', 'unlabelled').map((name) => name.split('-')[0]!);
  expect(new Set(drawn).size).toBe(12 * EACH.unlabelled);
  expect(drawn.filter((name) => /^(yes|no|up|down|left|right|on|off|stop|go|_.*)$/.test(name))).toEqual([]);
  make(bin, 'b');
  for (const split of SPLITS) {
    expect(filesOf('b', split)).toEqual(filesOf('a', split));
    for (const name of filesOf('a', split).slice(0, 3))
      expect(readFileSync(path.join(folder(), 'b', split, name))).toEqual(readFileSync(path.join(folder(), 'a', split, name))); // prettier-ignore
  }
});

it('an espeak-ng that would speak with its usual voice in place of one is refused', () => {
  const bin = standIn(VARIANTS.filter((name) => name !== 'rob'));
  expect(() => make(bin, 'c')).toThrow(/has no voice variant rob/);
});
