// Slurm itself: an array of jobs labels, a job merges, a job of several processes trains, by the scripts of docs/clusters.md. Needs Debian's
// slurm-wlm, openmpi-bin and root: munged, slurmctld and slurmd are started here, with a configuration of their own, and stopped again.
import { execFileSync, spawn } from 'node:child_process';
import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { Buffer } from 'node:buffer';
import { cpus, hostname } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { cli, done, hashes, hold, root, start, temporary, waitFor } from './harness.mjs';

const folder = temporary();
const at = (...names) => path.join(folder, ...names);
for (const name of ['state', 'spool', 'work', 'bin', 'log']) mkdirSync(at(name));
chmodSync(folder, 0o755);

writeFileSync(
  at('slurm.conf'),
  `ClusterName=test
SlurmctldHost=${hostname()}(127.0.0.1)
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket=${at('munge.socket')}
CredType=cred/munge
SlurmctldPort=16817
SlurmdPort=16818
StateSaveLocation=${at('state')}
SlurmdSpoolDir=${at('spool')}
SlurmctldPidFile=${at('slurmctld.pid')}
SlurmdPidFile=${at('slurmd.pid')}
SlurmctldLogFile=${at('log/slurmctld')}
SlurmdLogFile=${at('log/slurmd')}
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
ReturnToService=2
MpiDefault=none
NodeName=${hostname()} NodeAddr=127.0.0.1 CPUs=${Math.max(2, cpus().length)} State=UNKNOWN
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP
`,
);
writeFileSync(at('cgroup.conf'), 'CgroupPlugin=disabled\n');
writeFileSync(at('munge.key'), Buffer.alloc(128, 7), { mode: 0o600 });
writeFileSync(at('bin/limbeck'), `#!/bin/sh\nexec '${process.execPath}' '${cli}' "$@"\n`, { mode: 0o755 });

const env = {
  ...process.env,
  SLURM_CONF: at('slurm.conf'),
  PATH: `${at('bin')}:${process.env.PATH}`,
  ...{ OMPI_ALLOW_RUN_AS_ROOT: '1', OMPI_ALLOW_RUN_AS_ROOT_CONFIRM: '1' },
};
const services = [];
function service(command, ...args) {
  const child = spawn(command, args, { env, stdio: 'ignore' });
  services.push(child);
}
process.on('exit', () => services.reverse().forEach((child) => child.kill('SIGKILL')));

service(
  'munged',
  '--foreground',
  '--force',
  `--socket=${at('munge.socket')}`,
  `--key-file=${at('munge.key')}`,
  `--pid-file=${at('munged.pid')}`,
  `--log-file=${at('log/munged')}`,
  `--seed-file=${at('munge.seed')}`,
);
await waitFor(() => readdirSync(folder).includes('munge.socket'), 'munged', 20_000);
service('slurmctld', '-D', '-c');
service('slurmd', '-D', '-c');
const slurm = (command, ...args) => execFileSync(command, args, { env, cwd: at('work'), encoding: 'utf8' }).trim();
await waitFor(() => slurm('sinfo', '-h', '-o', '%T') === 'idle', 'an idle node', 60_000);

// The scripts as people copy them.
const scripts = [
  ...readFileSync(path.join(root, 'docs/clusters.md'), 'utf8').matchAll(/```sh\n(#!\/bin\/sh\n#SBATCH[^]*?)```/g),
];
for (const [, text] of scripts) writeFileSync(at('work', `${/--job-name=(\w+)/.exec(text)[1]}.sh`), text);
writeFileSync(
  at('work/recipe.yaml'),
  readFileSync(path.join(root, 'recipes/fashion-mnist.yaml'), 'utf8')
    .replaceAll('../', root)
    .replace(/^export:.*$/m, 'export: [onnx]')
    .replace(/^quantize:.*$/m, 'shards: 8\nthreads: 1\nreport: { latency: { seconds: 0 } }')
    .replace(/epochs: \d+/, 'epochs: 1')
    .replace(/^repeats: \d+/m, 'repeats: 2')
    .replace('type: idx', 'type: idx\n  limit: 900'),
);

const submit = (name, ...args) => slurm('sbatch', '--parsable', ...args, `${name}.sh`);
const label = submit('label');
const merge = submit('merge', `--dependency=afterok:${label}`);
const train = submit('train', `--dependency=afterok:${merge}`);
const outputs = () =>
  readdirSync(at('work'))
    .filter((name) => name.startsWith('slurm-'))
    .map((name) => `${name}:\n${readFileSync(at('work', name), 'utf8')}`)
    .join('\n');
for (let left = 300; slurm('squeue', '-h', '-o', '%i %T %r') !== ''; left--) {
  if (left === 0 || /DependencyNever/.test(slurm('squeue', '-h', '-o', '%r')))
    throw new Error(`jobs do not end: ${slurm('squeue')}\n${outputs()}`);
  await delay(1000);
}
const shards = outputs().match(/shard \d\/4: \d+ of \d+ blocks, [1-9]\d* answered now/g) ?? [];
hold('an array of 4 jobs labels, each its shard', new Set(shards).size === 4, outputs());
hold('a job merges the answers', /answers to \d+ samples/.test(outputs()), outputs());
const run = at('work/checkpoints/fashion-mnist');
hold('a job of 2 processes trains', readdirSync(run).includes('report.json'), outputs());
hold('the teacher was not asked again', !/asking the teacher/.test(outputs()), outputs());
await done(start(process.execPath, [cli, 'run', at('work/recipe.yaml'), '--quiet', '--out', at('alone')]));
const alone = hashes(at('alone/fashion-mnist'));
hold('with the bytes of one process outside Slurm', hashes(run) === alone, `${hashes(run)}\n${alone}`);
console.log(`jobs ${label}, ${merge}, ${train}`);
process.exit(0);
