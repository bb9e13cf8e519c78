import { z } from 'zod';

/** Settings of the layout of a detector's outputs that teachers and students share. */
export const boxUnit = z
  .enum(['pixels', 'shares'])
  .optional()
  .describe("Unit of boxes: pixels of the file's input (default), or shares of it.");
export const boxSides = z
  .enum(['centres', 'corners'])
  .optional()
  .describe(
    'yolov8: sides of a box: centre x, centre y, width and height (default), or corners: xmin, ymin, xmax, ymax.',
  );
