// Random ranks of a training, random shards of a labelling, of a sweep and of a race are killed at random moments; what is left goes on with another
// number of them. Nothing is lost or wrong at the end, no process is left, and nothing hangs for 30 seconds.
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import {
  cli,
  done,
  hashes,
  hold,
  mpirun,
  processesWith,
  ranksWith,
  ready,
  root,
  safetensors,
  start,
  temporary,
  waitFor,
} from './harness.mjs';

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '20' },
    launchers: { type: 'string', default: 'openmpi,mpich' },
    seed: { type: 'string', default: '1' },
    /** Kinds of work, of those below. */
    kinds: { type: 'string', default: 'training,labelling,sweep,race' },
  },
});
const folder = temporary();
const launchers = values.launchers.split(',').map(ready);
// Numerical Recipes' generator: the same kills for one seed.
let state = Number(values.seed);
const random = (below) => Math.floor((below * (state = (1664525 * state + 1013904223) % 2 ** 32)) / 2 ** 32);
const digits = path.join(root, 'test/mpi/recipe.yaml');
const clothes = path.join(root, 'recipes/fashion-mnist.yaml');
const limit = ['--set', 'dataset.limit=4000', '--set', 'threads=1'];
const into = (out) => ['--quiet', '--out', path.join(folder, out)];

/** Kinds of work: what is started, and what it must come to. */
const KINDS = {
  training: {
    start: (out, n) => [
      mpirun(launchers[random(launchers.length)], n, ['run', digits, '--save-every', '0.2', ...into(out)]),
    ],
    alone: async (out) => done(start('node', [cli, 'run', digits, ...into(out)])),
    finish: (out) => done(mpirun(launchers[0], 2, ['run', digits, ...into(out)])),
    result: (out) => hashes(path.join(folder, out, 'mpi')),
  },
  labelling: {
    start: (out, n) => shards(n, ['label', clothes, ...limit, ...into(out)]),
    alone: async (out) => {
      await done(start('node', [cli, 'label', clothes, ...limit, ...into(out)]));
      await done(start('node', [cli, 'label', clothes, ...limit, ...into(out), '--merge']));
    },
    finish: async (out) => {
      for (const shard of shards(2, ['label', clothes, ...limit, ...into(out)])) await done(shard);
      await done(start('node', [cli, 'label', clothes, ...limit, ...into(out), '--merge']));
    },
    result: (out) => {
      const of = path.join(folder, out, 'fashion-mnist/soft-targets');
      return readdirSync(of)
        .map((name) => safetensors(readFileSync(path.join(of, name))))
        .join();
    },
  },
  sweep: {
    start: (out, n) => shards(n, [...sweep(), '--save-every', '0.2', ...into(out)]),
    alone: (out) => done(start('node', [cli, ...sweep(), ...into(out)])),
    finish: async (out) => {
      for (const shard of shards(2, [...sweep(), ...into(out)])) await done(shard);
    },
    result: (out) => {
      const of = path.join(folder, out, 'mpi-sweep');
      const trials = readdirSync(path.join(of, 'trials')).map((name) => name.replace(/\.json$/, ''));
      return trials.map((trial) => hashes(path.join(of, trial))).join();
    },
  },
  race: {
    start: (out, n) => shards(n, [...raced, '--save-every', '0.2', ...into(out)]),
    alone: (out) => done(start('node', [cli, ...raced, ...into(out)])),
    finish: async (out) => {
      // A round begins when all shards have finished the one before.
      for (let round = 0; round < 2; round++)
        for (const shard of shards(2, [...raced, ...into(out)])) await done(shard);
      await done(start('node', [cli, ...raced, ...into(out)]));
    },
    result: (out) => hashes(path.join(folder, out, 'mpi')),
  },
};
const raced = [
  ...[
    'run',
    digits,
    '--set',
    'prune=[]',
    '--set',
    'quantize=[]',
    '--set',
    'distill.epochs=8',
    '--set',
    'distill.loss=auto',
  ],
  ...['--set', 'distill.race={ losses: [kd, mse, ttm], temperatures: [1, 4], alphas: [0.5], rounds: 2 }'],
];
function sweep() {
  const quick = ['prune=[]', 'quantize=[]', 'distill.epochs=10'].flatMap((text) => ['--set', text]);
  return ['sweep', digits, ...quick, '--grid', 'distill.temperature=1,4', '--grid', 'seed=1,2'];
}
function shards(n, args) {
  return Array.from({ length: n }, (_, i) => start('node', [cli, ...args, '--shard', `${i}/${n}`]));
}

const kinds = values.kinds.split(',');
const expected = {};
const seconds = {};
for (const kind of kinds) {
  const { alone, result } = KINDS[kind];
  mkdirSync(path.join(folder, kind));
  const began = Date.now();
  await alone(`${kind}/alone`);
  seconds[kind] = (Date.now() - began) / 1000;
  expected[kind] = result(`${kind}/alone`);
}

let longest = 0;
for (let kill = 0; kill < Number(values.kills); kill++) {
  const kind = kinds[kill % kinds.length];
  const out = `${kind}/killed`;
  const text = path.join(folder, out);
  const n = 2 + random(3);
  const works = KINDS[kind].start(out, n);
  await waitFor(() => ranksWith(text).length > 0, 'a process');
  await delay(random(1000 * Math.max(2, seconds[kind])));
  const ranks = ranksWith(text);
  const victim = ranks[random(ranks.length)];
  if (victim !== undefined) process.kill(victim.pid, 'SIGKILL');
  const began = Date.now();
  // Ranks end with the one that is killed. Of shards the others go on: some of them are killed as well, as a machine that goes down does.
  if (kind !== 'training' && random(2) === 0) for (const { pid } of ranksWith(text)) killIfThere(pid);
  const limitMs = kind === 'training' ? 30_000 : 30_000 + 3000 * seconds[kind];
  const ends = await Promise.race([Promise.all(works.map(({ ended }) => ended)), delay(limitMs)]);
  const took = (Date.now() - began) / 1000;
  if (ends === undefined)
    throw new Error(`${kind}: not at its end ${took} s after a kill\n${JSON.stringify(processesWith(text))}`);
  if (kind === 'training') longest = Math.max(longest, took);
  await waitFor(() => processesWith(text).length === 0, 'the end of all processes', 10_000).catch(() => undefined);
  const left = processesWith(text);
  if (left.length > 0) throw new Error(`${kind}: processes are left: ${JSON.stringify(left)}`);
  console.log(
    `kill ${kill + 1}: ${kind} of ${n}, ${victim === undefined ? 'over before' : `process ${victim.pid}`}, all ended ${took.toFixed(1)} s later`,
  );
}
for (const kind of kinds) {
  await KINDS[kind].finish(`${kind}/killed`);
  hold(`${kind}: the bytes of one that was never killed`, KINDS[kind].result(`${kind}/killed`) === expected[kind]);
}
hold(`${values.kills} kills: no process left, at most ${longest.toFixed(1)} s to the end of all ranks`, longest < 30);

function killIfThere(pid) {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}
