import { ensemble } from '../../../../src/distill/teachers/ensemble.ts';
import type { Teacher } from '../../../../src/distill/teachers/teacher.ts';
import { batchFor } from '../../../../src/run/stages/teacher/answer.ts';
import { LabelBatch } from '../../../../src/run/stages/teacher/label-batch.ts';

const gpu = (limit: number, message: string) => {
  const asked: number[] = [];
  const question = (size: number): Promise<void> => {
    asked.push(size);
    return size > limit ? Promise.reject(new Error(message)) : Promise.resolve();
  };
  return { asked, question };
};

it('is large on a device, small on the cpu, fits large samples, and is what the recipe says', () => {
  expect(new LabelBatch('cuda', 784).size).toBe(1024);
  expect(new LabelBatch('cpu', 784).size).toBe(100);
  expect(new LabelBatch('webgpu', 1024 * 1024 * 3).size).toBe(21);
  expect(new LabelBatch('webgpu', 2 ** 28).size).toBe(1);
  expect(new LabelBatch('cpu', 784, 7).size).toBe(7);
});

it.each([
  'CUDA error: out of memory',
  'Failed to allocate memory for requested buffer of size 1234',
  'std::bad_alloc',
  'RESOURCE_EXHAUSTED: OOM when allocating tensor',
])('is halved until the memory is enough, and stays so: %s', async (message) => {
  const batch = new LabelBatch('cuda', 10, 100);
  const { asked, question } = gpu(30, message);
  const halved: number[] = [];
  for (let i = 0; i < 2; i++) await batch.ask(question, (size) => halved.push(size));
  expect(asked).toEqual([100, 50, 25, 25]);
  expect(halved).toEqual([50, 25]);
});

it('passes on what is no lack of memory, and a lack of it for a single sample', async () => {
  const other = gpu(0, 'input x is float32[1, 2]');
  await expect(new LabelBatch('cuda', 10).ask(other.question, () => undefined)).rejects.toThrow('input x');
  expect(other.asked).toEqual([1024]);
  const tiny = gpu(0, 'out of memory');
  await expect(new LabelBatch('cuda', 10, 3).ask(tiny.question, () => undefined)).rejects.toThrow('out of memory');
  expect(tiny.asked).toEqual([3, 2, 1]);
});

it('has the size for the device of the teacher, of an ensemble with a member on the cpu that of the cpu', () => {
  const context = { data: { train: { sampleShape: [28, 28, 1] } }, recipe: { distill: { softTargets: {} } } };
  const size = (...devices: string[]): number => {
    const teachers = devices.map((device) => ({ name: device, key: device, classes: 3, device }) as Teacher);
    const teacher =
      teachers.length === 1 ? teachers[0]! : ensemble(teachers.map((one) => ({ teacher: one, weight: 1 })));
    return batchFor(teacher, context as unknown as Parameters<typeof batchFor>[1]).size;
  };
  expect(size('cuda')).toBe(1024);
  expect(size('cpu')).toBe(100);
  expect(size('cuda', 'cpu')).toBe(100);
  expect(size('cuda', 'cuda')).toBe(1024);
});
