// Several processes train one recipe: the same bytes from 1, 2 and 4 of them, refusals, a process that dies, and a resume by fewer.
// Needs mpirun of Open MPI 4 or 5 (Debian: openmpi-bin) and `npm run build`.
import { execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const cli = path.join(root, 'dist/cli.js');
const folder = mkdtempSync(path.join(tmpdir(), 'limbeck-mpi-'));
const env = { ...process.env, OMPI_ALLOW_RUN_AS_ROOT: '1', OMPI_ALLOW_RUN_AS_ROOT_CONFIRM: '1' };
const recipe = path.join(folder, 'mpi.yaml');
// Dropout, augmentation, a moving average, batch norms, a smaller last batch; a step of 50 samples has fewer in each shard.
writeFileSync(
  recipe,
  `name: mpi
seed: 3
shards: 8
threads: 1
dataset:
  type: csv
  train: ${root}datasets/digits/train.csv
  test: ${root}datasets/digits/test.csv
  label: digit
  shape: [8, 8, 1]
  normalize: { mean: 0, std: 16 }
  augment: [{ shift: 1 }]
  limit: 500
teacher: { train: { model: mlp, hidden: [32], dropout: 0.2, epochs: 20, batchSize: 100 } }
student: { model: ds-cnn, width: 0.25 }
distill: { epochs: 8, batchSize: 100, ema: 0.9 }
report: { latency: { seconds: 0 } }
`,
);

const mpirun = ['--oversubscribe', '--bind-to', 'none', '--mca', 'btl', 'self,sm'];
const limbeck = (...args) => ['node', cli, 'run', recipe, '--quiet', '--save-every', '0.1', ...args];

function start(args, command = 'mpirun') {
  const child = spawn(command, args, { env, cwd: folder });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (text += data));
  const ended = new Promise((resolve) => child.on('close', (code, signal) => resolve({ code, signal, text })));
  return { child, ended };
}

async function done(args, command) {
  const { code, text } = await start(args, command).ended;
  if (code !== 0) throw new Error(`exit code ${code}\n${text}`);
}

function hashes(out) {
  const run = path.join(folder, out, 'mpi');
  const files = ['teacher.onnx', ...readdirSync(path.join(run, 'exports')).map((name) => `exports/${name}`)].sort();
  return JSON.stringify(
    files.map((file) => [
      file,
      createHash('sha256')
        .update(readFileSync(path.join(run, file)))
        .digest('hex'),
    ]),
    undefined,
    1,
  );
}

function hold(what, isTrue, seen = '') {
  if (!isTrue) throw new Error(`${what}: does not hold\n${seen}`);
  console.log(`✓ ${what}`);
}

/** Process ids of the ranks of one mpirun. */
function ranksOf(pid) {
  const listed = execFileSync('ps', ['-eo', 'pid,ppid,args'], { encoding: 'utf8' }).split('\n').slice(1);
  const rows = listed.map((line) => line.trim().split(/\s+/)).map(([own, parent, ...args]) => ({ own, parent, args }));
  return rows.filter(({ parent, args }) => Number(parent) === pid && args[0] === 'node').map(({ own }) => Number(own));
}

try {
  await done([...limbeck('--out', 'alone').slice(1)], 'node');
  const expected = hashes('alone');
  console.log(expected);
  for (const n of [1, 2, 4]) {
    await done([...mpirun, '-n', String(n), ...limbeck('--out', `n${n}`)]);
    hold(`${n} processes: the bytes of a run without mpirun`, hashes(`n${n}`) === expected, hashes(`n${n}`));
  }

  const own = `exec node ${cli} run ${recipe} --quiet --out other --set seed=$OMPI_COMM_WORLD_RANK`;
  const other = await start([...mpirun, '-n', '2', 'sh', '-c', own]).ended;
  const told = other.text.split('process 1 of 2 has another recipe than process 0').length - 1;
  hold('another recipe in one process is refused once', other.code === 1 && told === 1, other.text);

  const fewer = await start([...mpirun, '-n', '3', ...limbeck('--out', 'fewer', '--set', 'shards=2')]).ended;
  hold('more processes than shards are refused', /batch is cut into 2 shards/.test(fewer.text), fewer.text);

  const lone = spawnEnv({ PMI_SIZE: '2', PMI_RANK: '0' });
  const missing = await lone.ended;
  hold(
    'a launcher without its library is refused',
    /its library is not found|started 2 processes/.test(missing.text),
    missing.text,
  );

  const { child, ended } = start([...mpirun, '-n', '4', ...limbeck('--out', 'killed')]);
  // Most of a start goes into loading; the kill is to hit the training of the student.
  await waitFor(
    () => readdirSync(path.join(folder, 'killed/mpi/state')).some((name) => name.startsWith('distill')),
    child,
  );
  const [victim] = ranksOf(child.pid).slice(-1);
  process.kill(victim, 'SIGKILL');
  const began = Date.now();
  const after = await ended;
  hold('a process that dies ends all', after.code !== 0 && Date.now() - began < 30_000, after.text);
  hold('none is left', ranksOf(child.pid).length === 0);
  await done([...mpirun, '-n', '2', ...limbeck('--out', 'killed')]);
  hold('resumed by 2 processes after 4 were killed: the same bytes', hashes('killed') === expected, hashes('killed'));
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function spawnEnv(more) {
  const child = spawn('node', limbeck('--out', 'lone').slice(1), { env: { ...env, ...more }, cwd: folder });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (text += data));
  return { ended: new Promise((resolve) => child.on('close', (code) => resolve({ code, text }))) };
}

async function waitFor(isThere, child) {
  const until = Date.now() + 120_000;
  for (;;) {
    await delay(50);
    try {
      if (isThere()) return;
    } catch {
      // The folder is not there yet.
    }
    if (Date.now() > until || child.exitCode !== null) throw new Error('the training did not begin');
  }
}
