import { UserError } from '../../../src/base/errors.ts';
import { viewOf } from '../../../src/data/batches/batches.ts';
import type { Dataset } from '../../../src/data/dataset.ts';
import { alike, int8Teacher, refuseOpenTexts } from '../../../src/distill/teachers/int8-teacher.ts';
import type { OpenedWith, ToInt8 } from '../../../src/distill/teachers/int8-teacher.ts';
import { onnxTeacher } from '../../../src/distill/teachers/onnx-teacher.ts';
import type { Model } from '../../../src/formats/onnx/model.ts';
import { decodeModel, encodeModel } from '../../../src/formats/onnx/protobuf.ts';
import { toInt8 } from '../../../src/ship/int8-teacher.ts';
import { parseRecipe } from '../../../src/recipe/load.ts';
import { pictures } from '../../support/dataset.ts';
import { pictureModel } from '../../support/onnx.ts';
import type { PictureTeacher } from '../../support/onnx.ts';
import { textTeacher } from '../../support/text-teacher.ts';
import '../../support/tasks.ts';

async function inInt8(file: PictureTeacher, quantizer: ToInt8 = toInt8(), dataset: Dataset = pictures(200)) {
  const bytes = encodeModel(pictureModel(file));
  const n = Math.min(8, dataset.count);
  const rows = Int32Array.from({ length: n }, (_, i) => i);
  const probe = { x: viewOf(dataset, rows, { seed: 0, view: 0, augment: [] }), n };
  const source = { name: 'teacher.onnx', bytes, dataset, probe, session: { executionProviders: ['cpu'] } };
  const settings = { layout: 'auto', outputs: 'auto', intermediate: [] } as const;
  const open = (other: OpenedWith) => onnxTeacher({ ...source, ...other }, settings);
  return { float: await open({}), ...(await int8Teacher(bytes, open, dataset, quantizer)) };
}

describe('a teacher with precision: int8', () => {
  it('is quantized from what its file is fed, in its own layout', async () => {
    const seen: (readonly (readonly number[])[])[] = [];
    const quantizer: ToInt8 = async (bytes, name, samples) => {
      seen.push(samples.map(({ pixels }) => pixels!.shape));
      const made = await toInt8()(bytes, name, samples);
      expect(decodeModel(made, name).graph.nodes.map(({ op }) => op)).toContain('QuantizeLinear');
      return made;
    };
    const { float, teacher, said } = await inInt8({ layout: 'nchw' }, quantizer);
    expect(seen[0]!.length).toBeGreaterThanOrEqual(2);
    expect(seen[0]![0]).toEqual([32, 2, 4, 4]);
    expect(said).toMatch(
      /^on 100 validation samples \d\d\.\d dB, same class on (100\.00 %|99\.\d\d %, others cost 0\.\d\d % in probability)$/,
    );
    expect(teacher.key).not.toBe(float.key);
    expect([teacher.params, teacher.sizeBytes]).toEqual([float.params, float.sizeBytes]);
    const x = viewOf(pictures(), [0, 1, 2], { seed: 0, view: 0, augment: [] });
    const [exact, rounded] = [(await float.answer(x, 3)).logits, (await teacher.answer(x, 3)).logits];
    expect(rounded).not.toEqual(exact);
    const largest = Math.max(...exact.map(Math.abs));
    rounded.forEach((value, i) => expect(Math.abs(value - exact[i]!)).toBeLessThan(0.05 * largest));
  });

  it('is the same each time', async () => {
    const [one, two] = [await inInt8({}), await inInt8({})];
    expect(one.teacher.key).toBe(two.teacher.key);
  });

  it('is refused where its answers differ too much', async () => {
    // The file of another model, whose classes are in another order.
    const other: ToInt8 = () => Promise.resolve(encodeModel(pictureModel({ order: [2, 0, 1] })));
    await expect(inInt8({}, other)).rejects.toThrow(
      /^teacher\.precision: int8: teacher\.onnx answers too differently in 8 bits: on 100 validation samples -?\d+\.\d dB, same class on \d+\.\d\d %, others cost \d+\.\d\d % in probability; expected at least 20 dB and other classes to cost at most 1\.00 %$/,
    );
  });

  it('is refused where its float answers are not finite, and says what else to do with a file that cannot be quantized', async () => {
    await expect(inInt8({ weights: 'nan' })).rejects.toThrow(/its answer to sample train\/\d+3 is not finite$/);
    const unknown: ToInt8 = () => Promise.reject(new UserError('teacher.onnx: no', 'Look there.'));
    await expect(inInt8({}, unknown)).rejects.toMatchObject({
      message: 'teacher.precision: int8: teacher.onnx: no',
      hint: expect.stringMatching(/^Set teacher\.precision: fp32, or .*`limbeck quantize`.* Look there\.$/) as string,
    });
  });

  it('is compared on the samples that it was calibrated with where there are few, and refused where there is one', async () => {
    const { said } = await inInt8({}, toInt8(), pictures(40));
    expect(said).toMatch(/^on 40 validation samples, with which it was calibrated too, \d\d\.\d dB/);
    await expect(inInt8({}, toInt8(), pictures(1))).rejects.toThrow(
      /^teacher\.precision: int8: expected at least 2 validation samples, whose answers are compared, received 1$/,
    );
    const same = [Float32Array.of(1, 2, 3, 1, 2, 3)];
    expect(alike(same, [Float32Array.of(1, 2, 3, 1, 2, 4)], pictures(2))).toMatchObject({
      isEnough: false,
      text: 'noise on answers that are all the same, same class on 100.00 %',
    });
  });

  it('may take other classes where the float file was unsure, and not where it was sure', () => {
    // Answers that differ between samples by far more than their noise. [`unsure` of 100 nearly as probable, `sure` of 100 far less so] change.
    const answers = (unsure: number, sure: number, isFloat: boolean) => {
      const rows = Array.from({ length: 100 }, (_, i) => {
        const close = i < unsure ? [0.01, 0] : i < unsure + sure ? [2, 0] : [50, -50];
        return [...(isFloat || i >= unsure + sure ? close : close.reverse()), -100];
      });
      return [Float32Array.from(rows.flat())];
    };
    const found = (unsure: number, sure: number) =>
      alike(answers(unsure, sure, true), answers(unsure, sure, false), pictures(100));
    expect(found(7, 0)).toMatchObject({
      isEnough: true,
      text: expect.stringMatching(/dB, same class on 93\.00 %, others cost 0\.03 % in probability$/) as string,
    });
    // 1 - e⁻² of the probability e⁰ / (1 + e⁻²) each: 0.76. One sample may be lost, of any number.
    expect(found(0, 1).isEnough).toBe(true);
    expect(found(7, 2)).toMatchObject({
      isEnough: false,
      text: expect.stringMatching(/same class on 91\.00 %, others cost 1\.56 % in probability$/) as string,
    });
  });

  it('is refused with texts of any length, and says which length to export it with', () => {
    const model = decodeModel(
      textTeacher(5, () => [0, 1]),
      't',
    );
    const fixed = { ...model, graph: { ...model.graph, inputs: model.graph.inputs.map((input) => ({ ...input, dims: ['batch', 16] })) } }; // prettier-ignore
    const text = { length: 16 } as Dataset['text'];
    const refused = (file: Model, of: Pick<Dataset, 'text'>) => () => refuseOpenTexts(file, 'bert.onnx', of);
    expect(refused(model, { text })).toThrow(
      expect.objectContaining({
        message:
          'teacher.precision: int8: bert.onnx: expected texts of one length, received the input input_ids [batch, length]',
        hint: 'Export the file with inputs [batch, 16], or set teacher.precision: fp32.',
      }) as Error,
    );
    expect(refused(fixed, { text })).not.toThrow();
    expect(refused(model, {})).not.toThrow();
  });

  it('is measured by what answers to different samples differ by, not by what they have in common', () => {
    const dataset = pictures(3);
    const answers = (far: number, noise: number): Float32Array[] => [
      Float32Array.of(far + 3, far, far, far, far + 3 + noise, far, far, far + noise, far + 3),
    ];
    // The mean of each column is far + 1: a signal of 6 in each, and a noise of 2 in all.
    expect(alike(answers(0, 0), answers(0, 1), dataset).text).toBe('9.5 dB, same class on 100.00 %');
    // Half of the difference is a quarter of the noise.
    expect(alike(answers(0, 0), answers(0, 0.5), dataset).text).toMatch(/^15\.6 dB/);
    expect(alike(answers(1000, 0), answers(1000, 1), dataset)).toMatchObject({
      isEnough: false,
      text: '9.5 dB, same class on 100.00 %',
    });
  });

  it('is refused beside what is no ONNX file, and beside inner tensors', () => {
    const recipe =
      (teacher: string): (() => unknown) =>
      () =>
        parseRecipe(
          `name: a\ndataset: { type: csv, train: x.csv }\nteacher: { ${teacher}, precision: int8 }\nstudent: { model: mlp }\n`,
          'a.yaml',
        );
    expect(recipe('tfjs: model.json')).toThrow(/no such key beside tfjs/);
    expect(recipe('onnx: t.onnx, intermediate: [a]')).toThrow(/expected fp32 beside teacher\.intermediate/);
  });
});
