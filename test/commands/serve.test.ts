import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { get } from 'node:https';
import path from 'node:path';
import { classifier } from '../serve/models.ts';
import { ask } from '../serve/server.ts';
import { ROOT, start } from '../support/built.ts';
import { temporaryFolder } from '../support/folder.ts';
import { inProcess } from '../support/in-process.ts';

const folder = temporaryFolder();
const FIXTURES = path.join(ROOT, 'test/serve/fixtures');

describe('limbeck serve', () => {
  it('answers until it is told to stop, over TLS, and keeps a log of its answers', async () => {
    await writeFile(path.join(folder(), 'animals.onnx'), classifier());
    const [cert, key] = ['cert.pem', 'key.pem'].map((file) => path.join(FIXTURES, file));
    const tls = ['--tls-cert', cert!, '--tls-key', key!];
    const args = ['serve', 'zoo=animals.onnx', '--port', '0', '--access-log', 'access.jsonl', '--json', ...tls];
    const { child, finished, output } = start(folder(), args);
    while (!output().includes('}') && child.exitCode === null) await new Promise((resolve) => setTimeout(resolve, 10));
    const { url, models } = JSON.parse(output()) as { url: string; models: string[] };
    expect(models).toEqual(['zoo']);
    const ca = await readFile(cert!);
    const status = await new Promise((resolve, reject) => {
      get(`${url}/v2/models/zoo`, { ca, agent: false }, (response) => resolve(response.resume().statusCode)).on(
        'error',
        reject,
      );
    });
    expect(status).toBe(200);
    await expect(ask({ port: Number(new URL(url).port) }, '/v2')).rejects.toThrow();
    child.kill('SIGTERM');
    expect(await finished).toMatchObject({ code: 0, signal: null });
    const lines = (await readFile(path.join(folder(), 'access.jsonl'), 'utf8')).trimEnd().split('\n');
    expect(JSON.parse(lines[0]!)).toMatchObject({
      ...{ method: 'GET', path: '/v2/models/zoo', status: 200, from: '127.0.0.1' },
      ...{ ms: expect.any(Number) as number, timestamp: expect.stringMatching(/^20/) as string },
    });
  });

  it('serves the student of a run', async () => {
    const run = path.join(folder(), 'checkpoints/bags');
    await mkdir(path.dirname(run));
    await cp(path.join(ROOT, 'checkpoints/fashion-mnist-teacher'), run, { recursive: true });
    await writeFile(path.join(run, 'recipe.json'), '{}');
    const { child, finished, output } = start(folder(), ['serve', 'bags', '--port', '0', '--json']);
    while (!output().includes('}') && child.exitCode === null) await new Promise((resolve) => setTimeout(resolve, 10));
    const { url } = JSON.parse(output()) as { url: string };
    const { json } = await ask({ port: Number(new URL(url).port) }, '/v1/bags');
    expect(json).toMatchObject({ shape: [28, 28, 1], logits: true });
    child.kill('SIGINT');
    expect((await finished).code).toBe(0);
  });

  it.each([
    [['none.onnx'], 'none.onnx: cannot read it: no such file or folder\n'],
    [
      ['model.tflite'],
      'model.tflite: expected an .onnx, .keras or .h5 file, a folder of .onnx files or a run, received .tflite\nA TFLite',
    ],
    [
      ['rows.csv'],
      'rows.csv: expected an .onnx, .keras or .h5 file, a folder of .onnx files or a run, received .csv\nName one of those.',
    ],
    [['empty'], /^serve: no \.onnx file in .*\nName/],
    [['my-run'], 'no run "my-run" in checkpoints, and no folder of that name with a recipe.json\n'],
    [['a.onnx', 'b/a.onnx'], 'serve: two models are called a\nName them'],
    [['a b.onnx'], 'a b.onnx: "a b" cannot be the name of a model: expected letters, digits, _ . and - alone\n'],
    [['bad.onnx'], /^bad\.onnx: /],
    [['a.onnx', '--workers', '0'], '--workers: expected a whole number > 0, received 0\n'],
    [['a.onnx', '--preferred', '128'], '--preferred: expected 1 to 64, received 128\n'],
    [['a.onnx', '--grpc-port', '70000'], '--grpc-port: expected a port, or 0, received 70000\n'],
    [['a.onnx', '--tls-key', 'x'], 'serve: --tls-key without --tls-cert\n'],
    [['a.onnx', '--rate', '0'], '--rate: expected requests a second, received 0\n'],
    [['a.onnx', '--max-connections', '5000'], '--max-connections: expected 1 to 4096, received 5000\n'],
    [['a.onnx', '--token-file', 'tokens'], 'tokens: a token has 5 characters, expected at least 16\n'],
  ])('%j is refused', async (args, message) => {
    await writeFile(path.join(folder(), 'bad.onnx'), 'no model');
    await writeFile(path.join(folder(), 'tokens'), 'short\n');
    await mkdir(path.join(folder(), 'empty'));
    const { code, stderr, stdout } = await inProcess(folder(), 'serve', '--port', '0', ...args);
    expect(stdout).toBe('');
    if (typeof message === 'string') expect(stderr.startsWith(message)).toBe(true);
    else expect(stderr).toMatch(message);
    expect(code).toBe(1);
  });
});
