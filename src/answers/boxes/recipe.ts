import { dataType } from '../../recipe/data-types.ts';
import { belongs } from '../../recipe/rule.ts';
import type { AnswerKeys } from '../../recipe/rule.ts';

const name = 'detection';

/** Rules about boxes around objects. */
export const boxesKeys: AnswerKeys = {
  name,
  tasks: ['detection'],
  keys: {},
  rules: [
    {
      keys: ['dataset.type'],
      when: (type: string) => dataType(type).holds !== 'boxes',
      because: 'coco, yolo or voc: detection learns from boxes',
    },
    {
      keys: ['distill.temperature', 'teacher.decoder'],
      when: (temperature: number, decoder?: unknown) => decoder !== undefined && temperature !== 1,
      because: '1 beside teacher.decoder: boxes have no logits to soften',
    },
    {
      keys: ['student.outputs', 'student.decoder'],
      when: (_outputs: object, decoder?: unknown) => decoder !== undefined,
      because: 'output beside decoder, whose layout is one output',
      received: 'student.outputs',
    },
    {
      keys: ['student.output', 'student.decoder'],
      when: (_output: string, decoder?: unknown) => decoder === undefined,
      because: 'decoder beside it, or outputs with the names of boxes and scores',
    },
    {
      keys: ['student.head'],
      when: (head: string) => head === 'replace',
      because: 'keep for detection: give data of the classes of the file',
    },
    // Detectors that answer once for each object learn from final boxes alone.
    {
      keys: ['dataset.nms', 'student', 'student.model'],
      when: (nms: boolean, student?: object, model?: string) => !nms && student !== undefined && model === undefined,
      because: 'true for this student: det-nano and det-small alone have a head for it',
    },
    {
      keys: ['dataset.nms', 'teacher', 'teacher.train', 'teacher.logits', 'teacher.decoder'],
      when: (nms: boolean, teacher?: object, ...others: readonly unknown[]) =>
        !nms && teacher !== undefined && others.every((other) => other === undefined),
      because: 'teacher.decoder beside it, or teacher.train: scores at points are of several boxes for each object',
    },
    {
      keys: ['distill.loss', 'dataset.nms'],
      when: (loss: string, nms?: boolean) => loss === 'frs' && nms === false,
      because: 'another loss beside dataset.nms: false, with which boxes teach in place of scores at points',
    },
  ],
  elsewhere: [
    {
      keys: ['dataset.type', 'dataset.task'],
      when: (type: string, task?: string) =>
        dataType(type).holds === 'boxes' && !(type === 'coco' && task === 'segmentation'),
      because: (_type: string, task = 'classification') =>
        `another type for ${task}: such files have boxes around objects, for which task is detection`,
    },
    {
      keys: ['dataset.nms'],
      when: (nms: boolean) => !nms,
      because: `no such key without boxes: it belongs to ${name}`,
    },
    ...['teacher.decoder', 'student.decoder', 'student.outputs'].map((key) => belongs(name, key)),
  ],
};
