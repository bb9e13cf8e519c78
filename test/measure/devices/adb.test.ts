import { chmod, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { measureWithAdb, parseToolOutput } from '../../../src/measure/devices/adb.ts';
import { sha256 } from '../../../src/base/bytes.ts';
import { temporaryFolder } from '../../support/folder.ts';

/** As TensorFlow Lite's benchmark_model prints it: one line of statistics for the warm-up, one for the measurement. */
const OUTPUT = `INFO: STARTING!
INFO: Log parameter values verbosely: [0]
INFO: Graph: [/data/local/tmp/ssd_mobilenet_v2_coco.tflite]
INFO: Loaded model /data/local/tmp/ssd_mobilenet_v2_coco.tflite
INFO: The input model file size (MB): 67.3128
INFO: Initialized session in 5.579ms.
INFO: Running benchmark for at least 1 iterations and at least 0.5 seconds but terminate if exceeding 150 seconds.
INFO: count=1 curr=1357602 p5=1357602 median=1357602 p95=1357602

INFO: Running benchmark for at least 50 iterations and at least 1 seconds but terminate if exceeding 150 seconds.
INFO: count=50 first=1249964 curr=1240143 min=1238588 max=1252566 avg=1.24027e+06 std=2565 p5=1238753 median=1239807 p95=1247415

INFO: Inference timings in us: Init: 5579, First inference: 1357602, Warmup (avg): 1.3576e+06, Inference (avg): 1.24027e+06
INFO: Note: as the benchmark tool itself affects memory footprint, the following is only APPROXIMATE to the actual memory footprint of the model at runtime. Take the information at your discretion.
INFO: Memory footprint delta from the start of the tool (MB): init=6.36328 overall=109.832
`;
const OLD = 'count=50 first=249042 curr=250889 min=247067 max=254474 avg=249684 std=1442\n';

describe('what benchmark_model prints', () => {
  it('is read from the line of the measurement', () => {
    expect(parseToolOutput(OUTPUT)).toEqual({
      runs: 50,
      p50Ms: 1239.807,
      p95Ms: 1247.415,
      memoryBytes: Math.round(109.832 * 2 ** 20),
    });
  });

  it('is nothing where there are no percentiles, or only a warm-up', () => {
    expect(parseToolOutput(OLD)).toBeUndefined();
    expect(parseToolOutput(OUTPUT.slice(0, OUTPUT.indexOf('INFO: count=50')))).toBeUndefined();
    expect(parseToolOutput('error: device offline')).toBeUndefined();
  });
});

const FOLDER = '/data/local/tmp';

describe('a phone', () => {
  const folder = temporaryFolder();

  /**
   * A program in the place of adb that writes down how it is called. An answer that begins with `error` ends with exit code 1;
   * `shell test` without an answer has that of a shell, as adb passes it on.
   */
  async function fake(answers: Readonly<Record<string, string>>): Promise<Record<string, string>> {
    const file = path.join(folder(), 'adb');
    const cases = Object.entries(answers).map(([part, answer]) => {
      const fails = answer.startsWith('error') ? '; exit 1' : '';
      return `*${JSON.stringify(part)}*) printf '%s' '${answer.replaceAll("'", "'\\''")}'${fails};;\n`;
    });
    await writeFile(
      file,
      `#!/bin/sh\necho "$*" >> '${folder()}/calls'\ncase "$*" in\n${cases.join('')}*'shell test'*) sh -c "$4";;\nesac\n`,
    );
    await chmod(file, 0o755);
    return { ADB: file };
  }
  const calls = async () => (await readFile(path.join(folder(), 'calls'), 'utf8')).trim().split('\n');
  const models = [
    { name: 'a', format: '.tflite', bytes: Uint8Array.of(1) },
    { name: 'b', format: '.onnx', bytes: Uint8Array.of(2) },
  ];
  const NO_ONNX = { what: 'b on Pixel 7', why: 'benchmark_model runs .tflite files alone' };
  const LIST = 'List of devices attached\nABC123\tdevice\n\n';

  it('runs each TFLite file in eight sessions, and is left as it was', async () => {
    const env = await fake({ devices: LIST, getprop: 'Pixel 7\n', 'test -x': 'present\n', '--graph': OUTPUT });
    const { rows, skipped } = await measureWithAdb(models, { threads: [1, 4], batchSizes: [1], seconds: 2, env });
    expect(skipped).toEqual([NO_ONNX]);
    expect(rows).toMatchObject(
      [1, 4].map((threads) => ({
        ...{ model: 'a', runtime: 'tflite-android', device: 'Pixel 7', batchSize: 1, threads },
        ...{ p50Ms: 1239.807, p95Ms: 1247.415, runs: 400, sessions: 8 },
      })),
    );
    const all = await calls();
    const [, remote] = /push \S+ (\S+)/.exec(all.find((call) => call.includes('push'))!)!;
    expect(all.filter((call) => call.includes(`--graph=${remote} --num_threads=4`))).toHaveLength(8);
    expect(all.at(-1)).toBe(`-s ABC123 shell rm -f ${remote}`);
  });

  it('is given the tool where it has none', async () => {
    const env = await fake({ devices: LIST, getprop: 'Pixel 7\n', '--graph': OUTPUT });
    const { skipped } = await measureWithAdb(models, { threads: [1], batchSizes: [1], seconds: 1, env });
    expect(skipped).toEqual([{ what: 'Pixel 7', why: expect.stringMatching(/BENCHMARK_MODEL/) as string }]);
    const options = {
      threads: [1],
      batchSizes: [1],
      seconds: 1,
      env: { ...env, BENCHMARK_MODEL: '/tools/benchmark_model' },
    };
    expect((await measureWithAdb(models, options)).rows).toHaveLength(1);
    expect(await calls()).toContain('-s ABC123 push /tools/benchmark_model /data/local/tmp/benchmark_model');
  });

  it('with a tool that is too old is left out with the reason', async () => {
    const env = await fake({ devices: LIST, getprop: 'Pixel 7\n', 'test -x': 'present\n', '--graph': OLD });
    const { rows, skipped } = await measureWithAdb(models, { threads: [1], batchSizes: [1], seconds: 1, env });
    expect(rows).toEqual([]);
    expect(skipped).toEqual([
      NO_ONNX,
      { what: 'a on Pixel 7, 1 thread', why: expect.stringMatching(/no percentiles/) as string },
    ]);
  });

  it('keeps the rows of the models that run beside one that does not, and says which batch sizes it has not', async () => {
    const good = { name: 'good', format: '.tflite', bytes: Uint8Array.of(3) };
    const remote = `limbeck-${sha256(models[0]!.bytes).slice(0, 16)}`;
    const present = { devices: LIST, getprop: 'Pixel 7\n', 'test -x': 'present\n' };
    const env = await fake({
      ...present,
      [`--graph=${FOLDER}/${remote}`]: 'error: no such operator',
      '--graph': OUTPUT,
    });
    const options = { threads: [1], batchSizes: [1, 8], seconds: 1, env };
    const { rows, skipped } = await measureWithAdb([models[0]!, good], options);
    expect(rows.map(({ model }) => model)).toEqual(['good']);
    expect(skipped).toEqual([
      { what: 'batch 8 on Pixel 7', why: expect.stringMatching(/batch 1$/) as string },
      { what: 'a on Pixel 7, 1 thread', why: 'error: no such operator' },
    ]);
  });

  it('that does not answer is left when the measurement is stopped', async () => {
    const file = path.join(folder(), 'adb');
    await writeFile(file, '#!/bin/sh\nexec sleep 60\n');
    await chmod(file, 0o755);
    const signal = AbortSignal.timeout(200);
    const options = { threads: [1], batchSizes: [1], seconds: 1, env: { ADB: file }, signal };
    await expect(measureWithAdb(models, options)).rejects.toThrow('stopped measuring');
  });

  it('that is not there is no failure', async () => {
    const why = async (env: Record<string, string>) =>
      (await measureWithAdb(models, { threads: [1], batchSizes: [1], seconds: 1, env })).skipped[0]!.why;
    expect(await why({ ADB: path.join(folder(), 'none') })).toMatch(/cannot be started/);
    expect(await why(await fake({ devices: 'List of devices attached\n\n' }))).toBe('adb finds no phone');
    expect(await why(await fake({ devices: 'List of devices attached\nX\tunauthorized\n' }))).toMatch(/unauthorized/);
    const denied = 'no permissions (user in plugdev group; are your udev rules wrong?); see [http://x]';
    expect(await why(await fake({ devices: `List of devices attached\nX\t${denied}\n` }))).toMatch(
      /^it is no permissions/,
    );
  });
});
