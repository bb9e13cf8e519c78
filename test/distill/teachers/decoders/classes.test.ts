import { placesOfClasses, printedNames } from '../../../../src/distill/teachers/decoders/classes.ts';

it.each([
  ["{0: 'person', 1: 'traffic light', 2: \"driver's seat\"}", ['person', 'traffic light', "driver's seat"]],
  ['{"0": "a", "1": "b"}', ['a', 'b']],
  ["{1: 'a', 2: 'b'}", undefined],
  ['person, car', undefined],
  [undefined, undefined],
])('names printed as %s are read', (text, names) => {
  expect(printedNames(text)).toEqual(names);
});

it("each class of a detector has its place among those of the data, which must all be the detector's", () => {
  expect(placesOfClasses('t', ['none', 'b', 'N/A', 'a', 'N/A'], ['a', 'b'])).toEqual([-1, 1, -1, 0, -1]);
  expect(placesOfClasses('t', undefined, ['a', 'b'])).toEqual([0, 1]);
  expect(() => placesOfClasses('t', ['b', 'c'], ['a', 'b'])).toThrow('received none named a');
  expect(() => placesOfClasses('t', ['b', 'a', 'b'], ['a', 'b'])).toThrow('received b twice');
});
