import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { start } from '../support/built.ts';
import { temporaryFolder } from '../support/folder.ts';
import { classifier, endless } from './models.ts';
import { ask, floats, serving } from './server.ts';

const x = [[1, -2, 0.5, 3]];

describe('a model that never ends', () => {
  const folder = temporaryFolder();

  it('does not keep a server from telling so', async () => {
    await expect(serving({ 'endless.onnx': endless() }, { loadSeconds: 2 })).rejects.toMatchObject({
      name: 'UserError',
      message: expect.stringMatching(/endless\.onnx: not loaded and tried out after 2 s$/) as string,
    });
  });

  it('does not keep a server that has others from loading further ones', async () => {
    // Enough for the model that does end, also on a machine that is busy with other tests.
    const server = await serving({ 'animals.onnx': classifier() }, { loadSeconds: 8 });
    await writeFile(path.join(server.folder, 'endless.onnx'), endless());
    const loading = ask(server, '/v2/repository/models/endless/load', { body: {} });
    expect((await ask(server, '/v2/models/animals/infer', { body: floats({ x }) })).status).toBe(200);
    expect((await loading).json.error).toMatch(/^animals\.onnx, endless\.onnx: not loaded and tried out after 8 s/);
    expect((await ask(server, '/v2/repository/models/animals/load', { body: {} })).status).toBe(200);
    await server.end();
  });

  const onLinux = process.platform === 'linux' ? it : it.skip;

  onLinux('ends with a server that is killed', async () => {
    await writeFile(path.join(folder(), 'endless.onnx'), endless());
    const { child, finished } = start(folder(), ['serve', 'endless.onnx', '--port', '0', '--workers', '1']);
    const read = (file: string): Promise<string> => readFile(file, 'utf8').catch(() => '');
    const until = async (isSo: () => Promise<boolean>): Promise<void> => {
      while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, 50));
    };
    const workers = async (): Promise<string[]> =>
      (await read(`/proc/${child.pid}/task/${child.pid}/children`)).split(' ').filter((pid) => pid !== '');
    await until(async () => (await workers()).length > 0);
    const [pid] = await workers();
    // Hundredths of seconds of a processor: it is in the call that does not return.
    const spent = async (): Promise<number> => Number((await read(`/proc/${pid}/stat`)).split(' ')[13]);
    await until(async () => (await spent()) > 150);
    child.kill('SIGKILL');
    await finished;
    await until(async () => !/^State:\s+[RSD]/m.test(await read(`/proc/${pid}/status`)));
  });
});
