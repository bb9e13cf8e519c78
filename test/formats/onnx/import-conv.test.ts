import { importOnnx } from '../../../src/formats/onnx/import.ts';
import { convCases, IMAGE, stored } from '../../support/onnx-cases/conv.ts';
import { liftConstants } from '../../../src/graph/passes/constants/lift-constants.ts';
import type { Case, Step } from '../../support/onnx-steps.ts';
import { expectSame, floats, modelOf } from '../../support/onnx-steps.ts';

const first = (name: string): [Case[0], Case[2]] => [convCases[name]![0], convCases[name]![2]];

describe('a convolution of a file', () => {
  it.each(Object.entries(convCases))('gives what ONNX Runtime gives: %s', async (_, [dims, fed, steps, opset]) => {
    await expectSame(modelOf(dims, stored, steps, opset), fed);
  });

  it('keeps its weights whole and under their names, so that they can be trained', () => {
    const named = (dims: Case[0], steps: readonly Step[]): string[] => {
      const held = new Set(Object.keys(stored));
      return [...liftConstants(importOnnx(modelOf(dims, stored, steps), 'm'), (name) => held.has(name)).content.keys()];
    };
    expect(named(...first('a convolution in groups'))).toEqual(['grouped', 'six']);
    expect(named(...first('a network over sound'))).toEqual(['line', 'six', 'm', 'v', 'o', 's']);
    expect(named(...first('one in two groups'))).toEqual(['pairs']);
    expect(named(...first('one for each channel'))).toEqual(['each']);
  });

  it.each([
    [
      'groups that do not fit',
      [['Conv', ['x', 'whole'], { group: 2 }]],
      /has 4 channels, and its filter \[5, 4, 3, 3\] is for 8, in 2 groups/,
    ],
    [
      'outputs that groups cannot share',
      [['Conv', ['x', 'odd'], { group: 2 }]],
      /its filter \[5, 2, 3, 3\] has 5 outputs, which 2 groups cannot share/,
    ],
    [
      'volumes',
      [['MaxPool', ['x'], { kernel_shape: [2, 2, 2] }]],
      /windows over height and width, or over length alone, received 3/,
    ],
    ['another rank', [['Conv', ['x', 'line']]], /expected a filter with 4 axes as its input has, received \[6, 4, 3\]/],
    [
      'a size beyond its windows',
      [['ConvTranspose', ['x', 'up'], { output_shape: [30, 30] }]],
      /larger than what its windows reach/,
    ],
  ] as [string, Step[], RegExp][])('is refused by node and operator: %s', (_, steps, message) => {
    const held = { ...stored, odd: floats(5, 2, 3, 3) };
    expect(() => importOnnx(modelOf(IMAGE, held, steps), 'm.onnx')).toThrow(message);
  });
});
