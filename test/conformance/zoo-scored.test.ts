import path from 'node:path';
import { mean } from '../../src/base/math/statistics.ts';
import { convertFile } from '../../src/ship/convert.ts';
import { runPython } from './python.ts';
import { noted, zooFolder } from './zoo.ts';
import { markdown } from './zoo-table.ts';

interface Draw {
  readonly samples: string;
  readonly ort: string;
}

/** Of an int8 file: shares of right classes and of those of its source, and signal to noise in dB. */
interface Scored {
  readonly right: number;
  readonly same: number;
  readonly sqnr: number;
}

/** By how much less of the test pictures an int8 file may get right than that of onnxruntime.quantization: half of what draws of samples differ by. */
const MARGIN = 0.002;

const { folder, close } = zooFolder();
const rows: string[][] = [];
afterAll(() => {
  console.log(markdown(['net', 'file', 'right', 'class of the source', 'SQNR, dB'], rows, 2).join('\n'));
  close();
});

it.each(['lcnet_050', 'ghostnet_050'])(
  'int8 files of %s, trained, get as many pictures right as those of onnxruntime.quantization',
  async (net) => {
    const draws = await noted(folder, `${net}.draws.json`, () => runPython('zoo_scored.py', folder, 'write', net) as Draw[]); // prettier-ignore
    const made = await noted(folder, `${net}.int8.json`, async () => {
      const files: string[] = [];
      for (const { samples } of draws) {
        const file = samples.replace('.npz', '.int8.onnx');
        const [from, data, out] = [`${net}.onnx`, samples, file].map((name) => path.join(folder, name));
        await convertFile({ from: from!, data, out: out!, precision: 'int8', accept: true });
        files.push(file);
      }
      return files;
    });
    const files = [`${net}.onnx`, ...draws.map(({ ort }) => ort), ...made];
    const [source, ...int8] = await noted(folder, `${net}.scored.json`, () => runPython('zoo_scored.py', folder, 'score', ...files) as [Scored, ...Scored[]]); // prettier-ignore
    const [theirs, ours] = [int8.slice(0, draws.length), int8.slice(draws.length)];
    rows.push([net, 'float32', text([source], 'right'), '', '']);
    for (const [name, found] of [['onnxruntime.quantization', theirs] as const, ['limbeck export', ours] as const])
      rows.push([net, name, text(found, 'right'), text(found, 'same'), text(found, 'sqnr')]);
    expect(meanOf(ours, 'right')).toBeGreaterThan(meanOf(theirs, 'right') - MARGIN);
  },
  3_600_000,
);

const meanOf = (found: readonly Scored[], key: keyof Scored): number => mean(found.map((one) => one[key]));

/** Mean, and each of the draws. */
function text(found: readonly Scored[], key: keyof Scored): string {
  const said = (value: number): string => (key === 'sqnr' ? value.toFixed(1) : `${(100 * value).toFixed(2)} %`);
  const each = found.length === 1 ? '' : ` (${found.map((one) => said(one[key])).join(', ')})`;
  return `${said(meanOf(found, key))}${each}`;
}
