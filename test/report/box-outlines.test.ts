import { drawBoxes } from '../../src/report/box-outlines.ts';
import { maskColour } from '../../src/report/mask-colours.ts';

/** Which pixels are drawn, row by row. */
function drawn(box: readonly number[], [height, width] = [5, 8], thick = 1): string[] {
  const pixels = new Uint8Array(height * width * 3);
  const [xmin, ymin, xmax, ymax] = box as [number, number, number, number];
  drawBoxes(pixels, [{ label: 2, xmin, ymin, xmax, ymax }], { height: height, width: width, thick });
  const colour = maskColour(2).join();
  const rows = Array.from({ length: height }, (_, y) =>
    Array.from({ length: width }, (_, x) => {
      const pixel = pixels.subarray(3 * (y * width + x)).slice(0, 3);
      return pixel.join() === colour ? '#' : '.';
    }).join(''),
  );
  return rows;
}

it('draws the border of a box within the picture', () => {
  expect(drawn([0.125, 0.2, 0.625, 0.8])).toEqual(['........', '.####...', '.#..#...', '.####...', '........']);
  expect(drawn([0, 0, 1, 1], [5, 8], 2)).toEqual(['########', '########', '##....##', '########', '########']);
});

it('draws a box without an area as a pixel, and one outside at the border', () => {
  expect(drawn([0.5, 0.4, 0.5, 0.4]).join('').replaceAll('.', '')).toBe('#');
  expect(drawn([1.5, 1.5, 2, 2])[4]).toBe('.......#');
});
