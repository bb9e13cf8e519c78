import { dataType } from '../../recipe/data-types.ts';
import { noFileOf, noKey } from '../../recipe/rule.ts';
import type { AnswerKeys, KeyRule } from '../../recipe/rule.ts';

const none = (key: string, why: string): KeyRule => noKey('tagging', key, why);
const noFile = (key: string): KeyRule => noFileOf('tagging', key, 'text-transformer or text-cnn');

/** Rules about a tag for each word. */
export const tagsKeys: AnswerKeys = {
  name: 'tagging',
  tasks: ['tagging'],
  keys: {},
  rules: [
    {
      keys: ['dataset.type'],
      when: (type: string) => dataType(type).canHoldWords !== true,
      because: 'jsonl, parquet or conll for tagging, which reads lists of words',
    },
    {
      keys: ['dataset.text'],
      when: (text?: object) => text === undefined,
      because: 'the column of the words for tagging, as `text: { column: tokens }`',
      received: 'none',
      isOfAbsent: true,
    },
    ...['unlabelled', 'labelled', 'labelledBy'].map((key) => none(`dataset.${key}`, 'every sentence needs its tags')),
    {
      keys: ['dataset.missing'],
      when: (missing: string) => missing !== 'error',
      because: 'no such key for tagging: every sentence needs its words',
      isSpare: true,
    },
    {
      keys: ['dataset.text.column'],
      when: (column: unknown) => Array.isArray(column) && column.length > 1,
      because: 'one column of words for tagging',
    },
    {
      keys: ['dataset.text.column', 'dataset.type'],
      when: (column: unknown, type: string) => dataType(type).holds === 'words' && typeof column !== 'number',
      because: 'the number of a column, from 0: columns of such files have no names',
    },
    { keys: ['dataset.text.truncate'], when: (end: string) => end === 'start', because: 'end for tagging' },
    {
      keys: ['dataset.text.tokenizer'],
      when: (tokenizer: string) => tokenizer === 'hashed',
      because: 'bytes or a tokenizer.json for tagging: hashed has ids of several words',
    },
    none('dataset.text.inputs', 'students have one input'),
    none('teacher.text', 'a teacher reads the same tokens as the student'),
    none('teacher.logits', 'name the teacher itself'),
    none('teacher.ensemble', 'name one teacher'),
    none('teacher.chain', 'name one teacher'),
    none('teacher.intermediate', 'inner tensors are not compared'),
    ...['module', 'tfjs', 'onnx'].map(noFile),
    {
      keys: ['prune'],
      when: (steps: readonly object[]) => steps.length > 0,
      because: 'none for tagging',
      received: 'a step',
    },
    { keys: ['target'], when: () => true, because: 'none for tagging', received: 'a search' },
  ],
  elsewhere: [
    {
      keys: ['dataset.type', 'dataset.task'],
      when: (type: string) => dataType(type).holds === 'words',
      because: (_type: string, task = 'classification') =>
        `another type for ${task}: such files have a tag for each word, for which task is tagging`,
    },
  ],
};
