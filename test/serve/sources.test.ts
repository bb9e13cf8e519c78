import { withShapes } from '../../src/serve/sources.ts';

const one = { name: 'a', file: 'a.onnx' };
const shapes = new Map([['image', ['batch', 3, 8, 8] as const]]);

it('sizes of an input are those of the one model that is served; of several they are refused', () => {
  expect(withShapes({ named: [one], folders: [] }, shapes)).toEqual({ named: [{ ...one, shapes }], folders: [] });
  const several = { named: [one, { name: 'b', file: 'b.onnx' }], folders: ['all'] };
  expect(withShapes(several, new Map())).toEqual(several);
  expect(() => withShapes(several, shapes)).toThrow('--shape: expected one model, received a, b, all');
});
