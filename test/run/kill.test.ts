import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { bytesOf, sha256 } from '../../src/base/bytes.ts';
import { RandomStream } from '../../src/base/random.ts';
import { readSafetensors } from '../../src/formats/safetensors.ts';
import { limbeck, start } from '../support/built.ts';
import { temporaryFolder } from '../support/folder.ts';
import { killRecipes } from './kill-recipes.ts';
import type { KillRecipe } from './kill-recipes.ts';

const folder = temporaryFolder();
/** `npm run test:kill -- --kills 50` asks for more, and `.ci/run` for as many of all recipes. */
const KILLS = Number(process.env['LIMBECK_KILLS'] ?? 2);

const RECIPES = killRecipes(KILLS, process.env['LIMBECK_KILLS'] === undefined);

describe('a run that is killed again and again', () => {
  it.each(RECIPES.map((recipe) => [recipe.name, recipe.kills, recipe] as const))(
    `%s ends with the bits of one that was left alone (%i kills)`,
    async (name, most, recipe) => {
      const args = ['run', await recipe.prepare(folder()), '--save-every=0.02', '--json'];
      const began = performance.now();
      const alone = await limbeck(folder(), ...args, '--out', 'alone');
      expect(alone.code).toBe(0);
      const duration = performance.now() - began;
      const expected = await results(path.join(folder(), 'alone', name), recipe);

      const random = new RandomStream(name);
      let kills = 0;
      for (let run = 0; kills < most; run++) {
        const out = `killed-${run}`;
        for (;;) {
          const { child, finished } = start(folder(), [...args, '--out', out]);
          // Most of a start goes into loading; a kill is to hit the work too.
          const delay = duration * (0.1 + 0.5 * random.uniform());
          const timer = kills < most ? setTimeout(() => child.kill('SIGKILL'), delay) : undefined;
          const { code, signal, stderr } = await finished;
          clearTimeout(timer);
          if (signal === 'SIGKILL') {
            kills++;
            continue;
          }
          expect(code).toBe(0);
          // A detector of this few steps is warned of; damaged states are not to be.
          expect(warnings(alone.stderr)).toEqual(expect.arrayContaining(warnings(stderr)));
          break;
        }
        expect(await results(path.join(folder(), out, name), recipe)).toEqual(expected);
      }
    },
    600_000 + KILLS * 60_000,
  );
});

function warnings(stderr: string): readonly string[] {
  return stderr.split('\n').filter((line) => line.includes('warning'));
}

/** Everything that a run decides; not how long it took. */
async function results(run: string, { stages, files }: KillRecipe): Promise<Record<string, unknown>> {
  const bytes = async (name: string) => sha256(await readFile(path.join(run, name)));
  const report = JSON.parse(await readFile(path.join(run, 'report.json'), 'utf8'), (key, value: unknown) =>
    /seconds$/i.test(key) ? undefined : value,
  ) as unknown;
  const weights = await Promise.all(
    stages.map(async (stage) => {
      const { generation, file: state } = await newest(path.join(run, 'state'), stage);
      expect(generation).toBeGreaterThan(0);
      const { tensors } = readSafetensors(await readFile(state), state);
      return [stage, [...tensors].map(([name, { data }]) => [name, sha256(bytesOf(data))])];
    }),
  );
  const names = (await readdir(path.join(run, 'exports'))).map((name) => `exports/${name}`);
  const counting = [...new Set([...files, ...names])].sort();
  const exported = await Promise.all(counting.map(async (name) => [name, await bytes(name)]));
  return { report, weights, exported };
}

async function newest(state: string, stage: string): Promise<{ generation: number; file: string }> {
  const generations = (await readdir(state))
    .filter((name) => name.replace(/-\d+\.safetensors$/, '') === stage && name.endsWith('.safetensors'))
    .map((name) => Number(/-(\d+)\./.exec(name)![1]));
  const generation = Math.max(...generations);
  return { generation, file: path.join(state, `${stage}-${String(generation).padStart(6, '0')}.safetensors`) };
}
