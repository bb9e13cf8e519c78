import { inputShapes } from '../../../src/commands/options/shapes.ts';

it('reads a shape for each input, of which the batch may stay open, or a value', () => {
  expect([...inputShapes({ shape: ['image=1,3,224,224', 'a=b=batch,5'], fix: ['sr=16000'] })]).toEqual([
    ['image', [1, 3, 224, 224]],
    ['a=b', ['batch', 5]],
    ['sr', { value: 16000 }],
  ]);
});

it.each(['1,3,224,224', 'x=', 'x=1,batch', 'x=0,3', 'x=1x3'])('refuses what is no name and sizes: %s', (text) => {
  expect(() => inputShapes({ shape: [text], fix: [] })).toThrow(`--shape: expected NAME=1,3,224,224, received ${text}`);
});

it.each(['16000', 'x=', 'x=fast', 'x=1,2'])('refuses what is no name and value: %s', (text) => {
  expect(() => inputShapes({ shape: [], fix: [text] })).toThrow(`--fix: expected NAME=16000, received ${text}`);
});

it('refuses a shape and a value for one input', () => {
  expect(() => inputShapes({ shape: ['sr=1'], fix: ['sr=16000'] })).toThrow('--fix: sr has a shape too');
});
