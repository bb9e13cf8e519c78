/**
 * `npm run test:prometheus -- [run|server]`: a real Prometheus scrapes a real run and a real server. Needs `prometheus` and `promtool` in the PATH (Debian:
 * apt install prometheus) and a build (`npm run build`). Checks that the metrics are well-formed by promtool, that those of
 * a stage that is over arrive with exactly the values that the endpoint has, that those of the stage that is going on move,
 * that every query of the dashboards in docs/ finds something, and that the alert for drift fires when answers drift.
 */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const root = join(import.meta.dirname, '..');
const folder = await mkdtemp(join(tmpdir(), 'limbeck-prometheus-'));
const children = [];
const RULES = join(root, 'docs/alerts-serving.yml');
const CONFIG = (target) => `global: { scrape_interval: 1s, evaluation_interval: 1s }
rule_files: ['${RULES}']
scrape_configs:
  - job_name: limbeck
    static_configs: [{ targets: ['${target}'] }]
`;

function start(command, args) {
  const child = spawn(command, args, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
  const exited = once(child, 'exit');
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (output += data));
  children.push({ child, exited });
  return { exited, output: () => output };
}

/** Asks until there is an answer, for a minute at most. */
async function until(what, ask) {
  for (let left = 240; left > 0; left--) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    await sleep(250);
  }
  throw new Error(`${what} did not happen within a minute`);
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  return port;
}

/** The samples of the text format, but for histograms and summaries. */
function samplesOf(text) {
  const lines = text.matchAll(/^([a-z_]+)\{(.*)\} (\S+)$/gm);
  return [...lines].map(([, name, labels, value]) => ({ name, labels, value: Number(value) }));
}

/** promtool's complaints end this. */
function checkFormat(text) {
  const lint = spawnSync('promtool', ['check', 'metrics'], { input: text, encoding: 'utf8' });
  assert.equal(lint.error, undefined);
  assert.equal(lint.status, 0, `promtool: ${lint.stdout}${lint.stderr}`);
  console.log('promtool check metrics: no complaint');
}

/** A Prometheus that scrapes `target` every second, and what it answers to a query: undefined for nothing. */
async function prometheusOf(target) {
  const port = await freePort();
  const place = await mkdtemp(join(folder, 'prometheus-'));
  await writeFile(join(place, 'prometheus.yml'), CONFIG(target));
  const prometheus = start('prometheus', [
    `--config.file=${join(place, 'prometheus.yml')}`,
    `--storage.tsdb.path=${join(place, 'data')}`,
    `--web.listen-address=127.0.0.1:${port}`,
  ]);
  const query = async (expr) => {
    const address = `http://127.0.0.1:${port}/api/v1/query?query=${encodeURIComponent(expr)}`;
    const { status, data, error } = await fetch(address).then(
      // Prometheus listens before it is ready to answer.
      (answer) => (answer.status === 503 ? { status: 'none' } : answer.json()),
      () => ({ status: 'none' }),
    );
    assert.notEqual(status, 'error', `${expr}: ${error}`);
    return status === 'success' && data.result.length > 0 ? data.result : undefined;
  };
  return { query, ...prometheus };
}

/** Every query of a dashboard finds something. */
async function askDashboard(file, query) {
  const { panels } = JSON.parse(await readFile(join(root, 'docs', file), 'utf8'));
  const exprs = panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr.replaceAll('$job', '.*')));
  for (const expr of exprs) await until(`an answer to ${expr}`, () => query(expr));
  console.log(`all ${exprs.length} queries of ${file} find something`);
}

async function watchRun() {
  // The teacher is soon trained; its student takes long enough to be scraped, and is stopped when all is seen.
  const recipe = (await readFile(join(root, 'recipes/digits-csv.yaml'), 'utf8'))
    .replaceAll('../datasets', join(root, 'datasets'))
    .replace(/(teacher:[^]*?epochs: )\d+/, '$15')
    .replace(/(distill:[^]*?epochs: )\d+/, '$120000');
  assert.match(recipe, /teacher:[^]*epochs: 5\b[^]*distill:[^]*epochs: 20000\b/);
  await writeFile(join(folder, 'digits.yaml'), recipe);
  const run = start(process.execPath, [join(root, 'dist/cli.js'), 'run', 'digits.yaml', '--metrics', '0']);
  const url = await until('the endpoint', () => /metrics at (\S+)/.exec(run.output())?.[1]);
  const text = await until('the first loss', async () => {
    const body = await (await fetch(url)).text();
    return body.includes('limbeck_loss{') ? body : undefined;
  });
  checkFormat(text);
  const { query, exited, output } = await prometheusOf(new URL(url).host);
  void exited.then(([code]) => code && console.error(output()));
  const STAGE = 'scratch';
  const steps = async () => Number((await query(`limbeck_steps_done{stage="${STAGE}"}`))?.[0].value[1] ?? 0);
  const first = await until('a scraped step', async () => (await steps()) || undefined);
  await until('a second scrape', async () => ((await steps()) > first ? true : undefined));
  console.log('the steps of the stage that is going on arrive, and go on');

  // The teacher is trained: its figures stand still, in the endpoint and in Prometheus.
  const over = samplesOf(await (await fetch(url)).text()).filter(({ labels }) =>
    /stage="(teach|data|answers)"/.test(labels),
  );
  const names = new Set(over.map(({ name }) => name));
  for (const name of ['loss', 'accuracy_ratio', 'steps_done', 'steps', 'epoch', 'stage_seconds', 'samples_per_second'])
    assert.ok(names.has(`limbeck_${name}`), `the endpoint has no limbeck_${name} of a stage that is over`);
  for (const { name, labels, value } of over) {
    const [{ metric, value: scraped }, ...others] = await until(name, () => query(`${name}{${labels}}`));
    assert.deepEqual([others.length, metric.job, Number(scraped[1])], [0, 'limbeck', value], `${name}{${labels}}`);
  }
  console.log(`Prometheus has the ${over.length} figures of finished stages as the endpoint has them`);

  await askDashboard('grafana-dashboard.json', query);
}

/** `limbeck serve`, asked all the while, right and wrong. */
async function watchServer() {
  const rules = spawnSync('promtool', ['check', 'rules', RULES], { encoding: 'utf8' });
  assert.equal(rules.status, 0, `promtool: ${rules.stdout}${rules.stderr}`);
  console.log('promtool check rules: no complaint');
  const model = join(folder, 'distilled.onnx');
  await copyFile(join(root, 'checkpoints/fashion-mnist-teacher/exports/distilled.onnx'), model);
  const cli = join(root, 'dist/cli.js');
  const recipe = ['--recipe', join(root, 'recipes/fashion-mnist.yaml'), '--set', 'dataset.limit=2000'];
  const usual = start(process.execPath, [cli, 'evaluate', model, ...recipe, '--usual']);
  const [code] = await usual.exited;
  assert.equal(code, 0, usual.output());
  const teacher = join(root, 'checkpoints/fashion-mnist-second-teacher/exports/distilled.onnx');
  const shadow = ['--shadow', teacher, '--share', '1', '--keep', join(folder, 'kept')];
  const server = start(process.execPath, [cli, 'serve', model, ...shadow, '--port', '0', '--json']);
  const url = await until('the server', () => /"url": "(\S+)"/.exec(server.output())?.[1]);
  let asking = true;
  let answered = 0;
  const ask = async () => {
    const inputs = [{ name: 'input', datatype: 'FP32', shape: [1, 28, 28, 1], data: new Array(784).fill(0) }];
    const place = `${url}/v2/models/distilled/infer`;
    while (asking) {
      const { status } = await fetch(place, { method: 'POST', body: JSON.stringify({ inputs }) });
      assert.equal(status, 200);
      answered++;
      const late = { inputs, parameters: { timeout: 1 } };
      assert.equal((await fetch(place, { method: 'POST', body: JSON.stringify(late) })).status, 503);
    }
  };
  const asked = ask();
  // What went wrong first is what to tell.
  asked.catch(() => undefined);
  // Triton's names are not what promtool wants, and must stay as they are.
  checkFormat((await (await fetch(`${url}/metrics`)).text()).replace(/^(# \w+ )?nv_.*\n/gm, ''));
  const { query } = await prometheusOf(new URL(url).host);
  await askDashboard('grafana-serving.json', query);
  // The same empty picture again and again is not what it was measured on.
  await until('the alert', () => query('ALERTS{alertname="LimbeckDrift", alertstate="firing", model="distilled"}'));
  console.log(`the alert for drift fires, after ${answered} answers`);
  asking = false;
  await asked;
  const arrived = async () => Number((await query('nv_inference_request_success'))?.[0].value[1]);
  await until(`the ${answered} answers in Prometheus`, async () => ((await arrived()) === answered ? true : undefined));
  console.log(`Prometheus counts the ${answered} answers that came`);
}

try {
  const [only] = process.argv.slice(2);
  if (only !== 'server') await watchRun();
  if (only !== 'run') await watchServer();
} finally {
  for (const { child } of children) child.kill('SIGTERM');
  await Promise.all(children.map(({ exited }) => exited));
  await rm(folder, { recursive: true, force: true });
}
