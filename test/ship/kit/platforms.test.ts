// Needs the features android, boxes, browser, ios, node, numbers and react-native.
import { loadKit } from '../../../src/ship/kit/forms.ts';
import { kitSamples } from '../../../src/ship/kit/platforms.ts';

/** Samples of a kit of pictures whose answers are so many outputs. */
async function samples(form: string, formats: readonly string[], outputs: number) {
  const kit = await loadKit(form);
  const fields = Array.from({ length: outputs }, (_, i) => ({ name: `y${i}`, shape: [2] }));
  const data = { text: undefined, inputs: undefined, columns: undefined, sampleShape: [8, 8, 3] };
  const task = { name: form, fields } as unknown as Parameters<typeof kitSamples>[0]['task'];
  const { made, skipped } = await kitSamples({ form, kit, task, data, formats: new Set(formats), isSound: false });
  return { made: made.map(({ platform }) => platform.name), skipped };
}

it('makes the samples for platforms that a form of answers has something for, and says of others who has', async () => {
  const all = ['android', 'ios', 'react-native', 'node', 'browser'];
  expect(await samples('classes', ['onnx', 'tflite'], 1)).toEqual({ made: all, skipped: [] });
  expect(await samples('boxes', ['onnx', 'tflite'], 2)).toEqual({
    made: all.filter((name) => name !== 'react-native'),
    skipped: [{ what: 'samples/react-native', why: 'boxes have no sample for React Native: classes have' }],
  });
});

it('names the samples that have no file to open, and those that do not read several outputs', async () => {
  expect(await samples('classes', ['onnx'], 1)).toEqual({
    made: ['node', 'browser'],
    skipped: [
      {
        what: 'TFLite files, and the samples for Android, iOS, React Native and LiteRT.js',
        why: 'there is no file for them, as said above',
      },
    ],
  });
  const { made, skipped } = await samples('numbers', ['tflite'], 2);
  expect(made).toEqual([]);
  const why = 'it reads one output, and answers of numbers are 2';
  expect(skipped).toEqual([
    { what: 'samples/android', why },
    { what: 'samples/ios', why },
    { what: 'samples/react-native', why: 'numbers have no sample for React Native: classes have' },
    { what: 'samples/browser', why },
    {
      what: 'ONNX files, and the samples for Node and ONNX Runtime Web',
      why: 'there is no file for them, as said above',
    },
  ]);
});
