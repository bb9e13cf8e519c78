import { noFileOf, noKey } from '../../recipe/rule.ts';
import type { AnswerKeys, KeyRule } from '../../recipe/rule.ts';

const none = (key: string, why: string): KeyRule => noKey('next-token', key, why);
const noFile = (key: string): KeyRule => noFileOf('next-token', key, 'decoder or gru-lm');

/** Rules about the next token of texts. */
export const nextTokenKeys: AnswerKeys = {
  name: 'next-token',
  tasks: ['next-token'],
  keys: {},
  rules: [
    {
      keys: ['dataset.type'],
      when: (type: string) => type !== 'texts',
      because: 'texts for this task: .txt files, JSON lines, or folders of them',
    },
    {
      keys: ['dataset.text.tokenizer'],
      when: (tokenizer: string) => tokenizer === 'hashed',
      because: 'bytes or a tokenizer.json for next-token: hashed has ids of several words',
    },
    none('dataset.text.inputs', 'students have one input'),
    none('dataset.text.truncate', 'texts are cut into sequences, and nothing is cut off'),
    ...['unlabelled', 'labelled', 'labelledBy'].map((key) =>
      none(`dataset.${key}`, 'each text says itself which token comes next; add texts to train'),
    ),
    none('teacher.text', 'a teacher reads the same tokens as the student'),
    none('teacher.logits', 'name the teacher itself'),
    none('teacher.ensemble', 'name one teacher'),
    none('teacher.chain', 'name one teacher'),
    none('teacher.intermediate', 'inner tensors are not compared'),
    ...['module', 'tfjs', 'onnx'].map(noFile),
    {
      keys: ['prune'],
      when: (steps: readonly object[]) => steps.length > 0,
      because: 'none for next-token: heads and tied embeddings are not pruned',
      received: 'a step',
    },
    { keys: ['target'], when: () => true, because: 'none for next-token', received: 'a search' },
    {
      keys: ['export'],
      when: (formats: readonly string[]) => formats.includes('tflite'),
      because: 'onnx for next-token: LiteRT does not run such models in int8',
      received: 'tflite',
    },
  ],
  elsewhere: [
    {
      keys: ['dataset.type', 'dataset.task'],
      when: (type: string) => type === 'texts',
      because: (_type: string, task = 'classification') =>
        `another type for ${task}: such files have texts without labels, for which task is next-token`,
    },
  ],
};
