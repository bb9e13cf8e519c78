import { inputShapes } from '../../src/commands/shapes.ts';

it('reads a shape for each input, of which the batch may stay open', () => {
  expect([...inputShapes(['image=1,3,224,224', 'a=b=batch,5'])]).toEqual([
    ['image', [1, 3, 224, 224]],
    ['a=b', ['batch', 5]],
  ]);
});

it.each(['1,3,224,224', 'x=', 'x=1,batch', 'x=0,3', 'x=1x3'])('refuses what is no name and sizes: %s', (text) => {
  expect(() => inputShapes([text])).toThrow(`--shape: expected NAME=1,3,224,224, received ${text}`);
});
