import { z } from 'zod';
import type { AnswerKeys } from '../../recipe/rule.ts';

const name = z.string().min(1);
const pairs = z.array(z.tuple([name, name]));
const share = z.number().gt(0).lt(1);

/** Keys about the places of points. */
export const pointsKeys = {
  name: 'points',
  tasks: ['points'],
  keys: {
    dataset: {
      skeleton: pairs
        .optional()
        .describe('Points: pairs of points that a line joins where points are drawn. Default: that of the file.'),
      flipPairs: pairs
        .optional()
        .describe(
          'Points: pairs of points that change their names where a picture is flipped; [] for none. Default: those of the file, or names that differ by left and right.',
        ),
      sigmas: z
        .union([z.number().gt(0), z.array(z.number().gt(0)).min(1)])
        .optional()
        .describe(
          "Points: deviation of a person's labels of each point, as a share of the root of the object's area, for the similarity of points (OKS). Default: COCO's for its 17 points, else 0.05.",
        ),
      pck: z
        .array(share)
        .min(1)
        .max(8)
        .optional()
        .describe(
          "Points: distances, as shares of the picture's longer side, within which a point counts as found; the first makes the score. Default: [0.05, 0.02, 0.1].",
        ),
      margin: z
        .number()
        .min(0)
        .max(4)
        .optional()
        .describe(
          "Points: each object is a sample, cut out by its box and this share of the box's longer side around it. Default: a sample is a whole picture with one object.",
        ),
    },
  },
  rules: [
    {
      keys: ['dataset.type'],
      when: (type: string) => type !== 'points',
      because: 'points for this task: a CSV file, key points of COCO, or a pose data.yaml of YOLO',
    },
    {
      keys: ['teacher.classes'],
      when: (classes: unknown) => typeof classes === 'string',
      because: 'a list of the points of the teacher, in its order',
    },
  ],
  elsewhere: [
    {
      keys: ['dataset.type', 'dataset.task'],
      when: (type: string) => type === 'points',
      because: (_type: string, task = 'classification') =>
        `another type for ${task}: such files have the places of points, for which task is points`,
    },
  ],
} as const satisfies AnswerKeys;
