// Random ranks of a training, random shards of a labelling, of a sweep, of a race and of a search are killed at random moments; what is left goes
// on with another number of them. Nothing is lost or wrong at the end, no process is left, and nothing hangs for 30 seconds.
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
    kinds: { type: 'string', default: 'training,labelling,sweep,race,search' },
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

const quick = (...keys) => [digits, ...['prune=[]', 'quantize=[]', ...keys].flatMap((text) => ['--set', text])];
const raced = quick(
  ...['distill.epochs=8', 'distill.loss=auto'],
  'distill.race={ losses: [kd, mse, ttm], temperatures: [1, 4], alphas: [0.5], rounds: 2 }',
);
/**
 * A search of two rounds in which times decide nothing. No file is as small as the budget, so the smallest is the best: of three widths the
 * narrowest goes on, and the middle one, which no smaller file comes near to in its score. Of equal sizes the score decides, an RMSE, of which
 * no two are equal.
 */
const [WIDTHS, NARROW, MIDDLE] = [[1, 0.5, 0.125], 0.125, 0.5];
const searched = quick(
  ...['dataset.task=regression', 'student={ model: mlp, hidden: [16] }', 'report.latency.seconds=0.05'],
  ...['distill={ epochs: 8, batchSize: 50, optimizer: { learningRate: 0.01 } }'],
  `target={ widths: [${WIDTHS.join(', ')}], amounts: [0], rounds: 2, sizeKb: 0.001 }`,
);

/** What a search has found, without times. An error where a time may have decided something. */
function foundIn(run) {
  const { search } = JSON.parse(readFileSync(path.join(run, 'report.json'), 'utf8'));
  const points = search.points.map(({ id, width, precision, epochs, params, sizeBytes, validation }) => ({
    ...{ id, width, precision, epochs, params, sizeBytes, validation },
  }));
  const distinct = new Set(points.map(({ sizeBytes, validation }) => `${sizeBytes} ${validation}`));
  // In the first round no other file is as small as the smallest of the middle width and as good: it is on the Pareto set, whatever times say.
  const first = points.filter(({ id }) => id.includes('-round-1/'));
  const [middle] = first.filter(({ width }) => width === MIDDLE).sort((a, b) => a.sizeBytes - b.sizeBytes);
  const rivals = first.filter((point) => point !== middle && point.sizeBytes <= middle.sizeBytes);
  const trials = [...new Set(points.map(({ id }) => id.split('/')[0]))];
  const expected = [...WIDTHS.map((width) => [width, 1]), ...[MIDDLE, NARROW].map((width) => [width, 2])];
  const names = expected.map(([width, round]) => `width-${width}-pruned-0-round-${round}`);
  const isDecided =
    distinct.size === points.length &&
    rivals.every(({ validation }) => validation > middle.validation) &&
    trials.join() === names.join() &&
    search.pick.startsWith(`width-${NARROW}-`);
  if (!isDecided)
    throw new Error(`${run}: a time may have decided this search\n${JSON.stringify(points, undefined, 1)}`);
  return { pick: search.pick, points };
}

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
  race: inRounds(raced, (out) => hashes(path.join(folder, out, 'mpi'))),
  search: inRounds(searched, (out) => {
    const run = path.join(folder, out, 'mpi');
    const trials = readdirSync(path.join(run, 'search')).sort();
    return JSON.stringify([
      foundIn(run),
      ...[run, ...trials.map((trial) => path.join(run, 'search', trial))].map(hashes),
    ]);
  }),
};
function sweep() {
  return ['sweep', ...quick('distill.epochs=10'), '--grid', 'distill.temperature=1,4', '--grid', 'seed=1,2'];
}
/** Work in two rounds, of which one begins when all shards have finished the one before. */
function inRounds(args, result) {
  return {
    start: (out, n) => shards(n, ['run', ...args, '--save-every', '0.2', ...into(out)]),
    alone: (out) => done(start('node', [cli, 'run', ...args, ...into(out)])),
    finish: async (out) => {
      for (let round = 0; round < 2; round++)
        for (const shard of shards(2, ['run', ...args, ...into(out)])) await done(shard);
      await done(start('node', [cli, 'run', ...args, ...into(out)]));
    },
    result,
  };
}
function shards(n, args) {
  return Array.from({ length: n }, (_, i) => start('node', [cli, ...args, '--shard', `${i}/${n}`]));
}

const kinds = values.kinds.split(',');
const startedAt = Date.now();
const expected = {};
const seconds = {};
for (const kind of kinds) {
  const { alone, result } = KINDS[kind];
  mkdirSync(path.join(folder, kind));
  const began = Date.now();
  await alone(`${kind}/alone`);
  seconds[kind] = (Date.now() - began) / 1000;
  console.log(`${kind} alone: ${seconds[kind].toFixed(0)} s`);
  expected[kind] = result(`${kind}/alone`);
}

let longest = 0;
const begun = Object.fromEntries(kinds.map((kind) => [kind, 1]));
for (let kill = 0; kill < Number(values.kills);) {
  const kind = kinds[kill % kinds.length];
  const out = outOf(kind);
  const text = path.join(folder, out);
  const n = 2 + random(3);
  const works = KINDS[kind].start(out, n);
  await waitFor(() => ranksWith(text).length > 0, 'a process');
  await delay(random(1000 * Math.max(2, seconds[kind])));
  const ranks = ranksWith(text);
  const victim = ranks[random(ranks.length)];
  const isKilled = victim !== undefined && killIfThere(victim.pid);
  const began = Date.now();
  // Ranks end with the one that is killed. Of shards the others go on: some of them are killed as well, as a machine that goes down does.
  if (isKilled && kind !== 'training' && random(2) === 0) for (const { pid } of ranksWith(text)) killIfThere(pid);
  const limitMs = kind === 'training' ? 30_000 : 30_000 + 3000 * seconds[kind];
  const ends = await Promise.race([Promise.all(works.map(({ ended }) => ended)), delay(limitMs)]);
  const took = (Date.now() - began) / 1000;
  if (ends === undefined)
    throw new Error(`${kind}: not at its end ${took} s after a kill\n${JSON.stringify(processesWith(text))}`);
  if (kind === 'training') longest = Math.max(longest, took);
  await waitFor(() => processesWith(text).length === 0, 'the end of all processes', 10_000).catch(() => undefined);
  const left = processesWith(text);
  if (left.length > 0) throw new Error(`${kind}: processes are left: ${JSON.stringify(left)}`);
  if (isKilled) {
    kill++;
    const at = ((Date.now() - startedAt) / 1000).toFixed(0);
    console.log(`${at} s: kill ${kill}: ${kind} of ${n}, process ${victim.pid}, all ended ${took.toFixed(1)} s later`);
    continue;
  }
  // It was over before it could be killed: the kill is another one's.
  await compare(kind);
  begun[kind]++;
}
for (const kind of kinds) await compare(kind);
hold(`${values.kills} kills: no process left, at most ${longest.toFixed(1)} s to the end of all ranks`, longest < 30);

function outOf(kind) {
  return `${kind}/killed-${begun[kind]}`;
}

async function compare(kind) {
  await KINDS[kind].finish(outOf(kind));
  hold(`${kind}: the bytes of one that was never killed`, KINDS[kind].result(outOf(kind)) === expected[kind]);
}

/** False for one that has ended by itself. */
function killIfThere(pid) {
  try {
    return process.kill(pid, 'SIGKILL');
  } catch {
    return false;
  }
}
