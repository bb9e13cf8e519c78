import { nodeNumbers, nodeSample, nodeTags } from '../../../src/ship/kit/node.ts';

it.each([
  ['classes', nodeSample('numbers')],
  ['texts', nodeSample('text')],
  ['numbers', nodeNumbers('words')],
  ['tags', nodeTags()],
])('a program for Node turns the telemetry of ONNX Runtime off before it loads it: %s', (_name, files) => {
  const [text] = Object.entries(files).flatMap(([file, one]) => (file.endsWith('.mjs') ? [one] : []));
  const [off, load] = ["process.env.ORT_DISABLE_TELEMETRY ??= '1';", "import('onnxruntime-node')"].map((line) => text!.indexOf(line)); // prettier-ignore
  expect(off).toBeGreaterThan(0);
  expect(load).toBeGreaterThan(off!);
  expect(text).not.toMatch(/from 'onnxruntime-node'/);
});
