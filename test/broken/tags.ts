import type { Case } from './files.ts';

const ROWS = Array.from(
  { length: 20 },
  (_, i) => `{"tokens": ["Ada", "walks", "home${i}"], "tags": ["B-PER", "O", "O"]}`,
);
const REST = 'student: {model: text-cnn, size: 4, filters: 4}\ndistill: {epochs: 1}\n';
const data = (keys = '', text = 'column: tokens'): string =>
  `dataset: {type: jsonl, task: tagging, train: w.jsonl, label: tags, text: {${text}, length: 32}${keys}}\n${REST}`;
const rows = (...more: readonly string[]): Record<string, string> => ({ 'w.jsonl': [...ROWS, ...more].join('\n') });
const tagged = (...tags: readonly string[]): Record<string, string> =>
  rows(JSON.stringify({ tokens: tags.map((_, i) => `w${i}`), tags }));
const conll = (text: string, label = ''): Pick<Case, 'recipe' | 'files'> => ({
  recipe: `dataset: {type: conll, task: tagging, train: w.conll, text: {column: 0, length: 32}${label}}\n${REST}`,
  files: { 'w.conll': text },
});

/** Words with a tag each. */
export const tags: Readonly<Record<string, Case>> = {
  'more words than tags': {
    recipe: data(),
    files: rows('{"tokens": ["a", "b"], "tags": ["O"]}'),
    message: ['w.jsonl:21: 2 words and 1 tags', 'Every word needs one tag, and every tag a word.'],
  },
  'a sentence without tags': {
    recipe: data(),
    files: rows('{"tokens": ["a", "b"]}'),
    message: [
      'w.jsonl:21: the sentence has no tags',
      'Give each of its words a tag, or remove it: a sentence without tags is not read for the task tagging.',
    ],
  },
  'a sentence without words': {
    recipe: data(),
    files: rows('{"tokens": [], "tags": []}'),
    message: [
      'w.jsonl:21: "tokens": expected a list of words, received []',
      'The task tagging reads a list of words and a list of as many tags: JSON lines such as {"tokens": ["New", "York"], "tags": ["B-LOC", "I-LOC"]}, or type: conll.',
    ],
  },
  'a text where words are expected': {
    recipe: data(),
    files: rows('{"tokens": "a b", "tags": ["O", "O"]}'),
    message: [
      'w.jsonl:21: "tokens": expected a list of words, received "a b"',
      'The task tagging reads a list of words and a list of as many tags: JSON lines such as {"tokens": ["New", "York"], "tags": ["B-LOC", "I-LOC"]}, or type: conll.',
    ],
  },
  'an empty word': {
    recipe: data(),
    files: rows('{"tokens": ["a", " "], "tags": ["O", "O"]}'),
    message: [
      'w.jsonl:21: "tokens": expected a text for word 1, received " "',
      'Correct the word, or remove it together with its tag.',
    ],
  },
  'an empty tag': {
    recipe: data(),
    files: rows('{"tokens": ["a", "b"], "tags": ["O", " "]}'),
    message: [
      'w.jsonl:21: the tag of word 1, "b", is empty',
      'Give the word a tag, such as O where it belongs to no entity, or remove the sentence.',
    ],
  },
  'a tag that holds the separator': {
    recipe: data(),
    files: rows('{"tokens": ["a", "b"], "tags": ["O", "B-A|B"]}'),
    message: [
      'w.jsonl:21: the label "B-A|B" holds "|", which separates the labels of a list',
      'Set `separator` to a text that no label holds.',
    ],
  },
  'BILOU tags': {
    recipe: data(),
    files: tagged('U-PER', 'B-LOC', 'L-LOC'),
    message: [
      'w.jsonl: the tag "L-LOC" is of no scheme that is read',
      'Tags are read as IOB2, IOB1 or IOBES: O, or B-, I-, E- or S- before a type; or as plain tags without any such beginning, such as parts of speech, each word by itself. Write BILOU as IOBES: E- for L-, S- for U-, I- for M-.',
    ],
  },
  'tags whose letter stands behind the type': {
    recipe: data(),
    files: { 'w.jsonl': ROWS.map((row) => row.replace('B-PER', 'PER-B')).join('\n') },
    message: [
      'w.jsonl: the tag "PER-B" is of no scheme that is read',
      'Tags are read as IOB2, IOB1 or IOBES: O, or B-, I-, E- or S- before a type; or as plain tags without any such beginning, such as parts of speech, each word by itself. Write the letter in front: B-PER, not PER-B.',
    ],
  },
  'tags of which some mark entities': {
    recipe: data(),
    files: tagged('B-PER', 'VERB', 'O'),
    message: [
      'w.jsonl: the tag "VERB" is of no scheme that is read',
      'Tags are read as IOB2, IOB1 or IOBES: O, or B-, I-, E- or S- before a type; or as plain tags without any such beginning, such as parts of speech, each word by itself. Give every word of an entity such a beginning, as in B-PER, and every other word the tag O.',
    ],
  },
  'tags that are numbers without names': {
    recipe: data(),
    files: { 'w.jsonl': ROWS.map((row) => row.replace('["B-PER", "O", "O"]', '[1, 0, 0]')).join('\n') },
    message: [
      'w.jsonl: the tags are whole numbers: 0, 1',
      'Name them in their order as `classes`, such as [O, B-PER, I-PER]: without names the starts of entities are unknown.',
    ],
  },
  'a tag that is not among the classes': {
    recipe: data(', classes: [O, I-PER]'),
    files: rows(),
    message: [
      'w.jsonl:1: unknown label "B-PER", expected one of 2 classes: O, I-PER',
      'Did you mean "I-PER"? Every label must occur in train or be listed as `classes` in the recipe.',
    ],
  },
  'tags of a table': {
    recipe: `dataset: {type: csv, task: tagging, train: d.csv, label: label, text: {column: a}}\n${REST}`,
    message: [
      'r.yaml:1:17 dataset.type: expected jsonl, parquet or conll for tagging, which reads lists of words, received csv',
      'Change dataset.type, or leave it out if it has a default. Run `limbeck schema` to see every key with its meaning.',
    ],
  },
  'tags without a column of words': {
    recipe: `dataset: {type: jsonl, task: tagging, train: w.jsonl, label: tags}\n${REST}`,
    files: rows(),
    message: [
      'r.yaml:1:10 dataset.text: expected the column of the words for tagging, as `text: { column: tokens }`, received none',
      'Add dataset.text. Run `limbeck schema` to see every key with its meaning.',
    ],
  },
  'sentences without tags beside others': {
    recipe: data(', unlabelled: w.jsonl'),
    files: rows(),
    message: [
      'r.yaml:1:116 dataset.unlabelled: expected no such key for tagging: every sentence needs its tags, received w.jsonl',
      'Take dataset.unlabelled out.',
    ],
  },
  'few tags': {
    recipe: data(', labelled: 5'),
    files: rows(),
    message: [
      'r.yaml:1:114 dataset.labelled: expected no such key for tagging: every sentence needs its tags, received 5',
      'Take dataset.labelled out.',
    ],
  },
  'weights of tags': {
    recipe: data(', classWeights: balanced'),
    files: rows(),
    message: [
      'dataset.classWeights: not read by the task tagging, received "balanced"',
      'Tags are not weighed; leave it out.',
    ],
  },
  'hashed words with tags': {
    recipe: data('', 'column: tokens, tokenizer: hashed'),
    files: rows(),
    message: [
      'r.yaml:1:102 dataset.text.tokenizer: expected bytes or a tokenizer.json for tagging: hashed has ids of several words, received hashed',
      'Change dataset.text.tokenizer, or leave it out if it has a default. Run `limbeck schema` to see every key with its meaning.',
    ],
  },
  'words that lose their start': {
    recipe: data('', 'column: tokens, truncate: start'),
    files: rows(),
    message: [
      'r.yaml:1:101 dataset.text.truncate: expected end for tagging, received start',
      'Change dataset.text.truncate, or leave it out if it has a default. Run `limbeck schema` to see every key with its meaning.',
    ],
  },
  'mixed words': {
    recipe: data(', augment: [{mixup: 0.2}]'),
    files: rows(),
    message: [
      'r.yaml:1:113 dataset.augment: expected none for texts: pictures are changed at random, received augment',
      'Take dataset.augment out.',
    ],
  },
  'a student that answers once for a sentence': {
    recipe: data().replace('model: text-cnn, size: 4, filters: 4', 'model: embedding-bag'),
    files: rows(),
    message: [
      'model embedding-bag answers for each sample, and the task asks for an answer for each word',
      'Choose text-transformer or text-cnn.',
    ],
  },
  'a loss that compares numbers beside tags': {
    recipe: `${data()}teacher: {train: {model: text-cnn, epochs: 1}}\n`.replace(
      'epochs: 1}',
      'epochs: 1, loss: bounded}',
    ),
    files: rows(),
    message: [
      'r.yaml:3:28 distill.loss: expected a loss for tagging: kd or kd-standardized or dkd or dist or ttm or wttm or nkd or mse or mutual, received bounded',
      'Change distill.loss, or leave it out if it has a default. Run `limbeck schema` to see every key with its meaning.',
    ],
  },
  'pruned tags': {
    recipe: `${data()}prune: [{type: magnitude, amount: 0.5}]\n`,
    files: rows(),
    message: [
      'r.yaml:4:8 prune: expected none for tagging, received a step',
      'Change prune, or leave it out if it has a default. Run `limbeck schema` to see every key with its meaning.',
    ],
  },
  'lines of different columns': {
    ...conll('Ada B-PER\nwalks O\n\nhome\n'),
    message: [
      'w.conll:4: 1 columns, in the first line 2: "home"',
      'Every line needs the same columns; sentences are separated by blank lines.',
    ],
  },
  'a file of one column': {
    ...conll('Ada\nwalks\n\nhome\n'),
    message: [
      'w.conll:1: text.column: no column 0, the line has 1: "Ada"',
      'Count columns from 0, or from the end with negative numbers; a line has a word and a tag at least.',
    ],
  },
  'a column that is not there': {
    ...conll('Ada B-PER\nwalks O\n', ', label: 4'),
    message: [
      'w.conll:1: label: no column 4, the line has 2: "Ada B-PER"',
      'Count columns from 0, or from the end with negative numbers; a line has a word and a tag at least.',
    ],
  },
  'lines of words for another task': {
    recipe: `dataset: {type: conll, train: w.conll, text: {column: 0}}\n${REST}`,
    files: { 'w.conll': 'Ada B-PER\nwalks O\n' },
    message: [
      'r.yaml:1:17 dataset.type: expected another type for classification: such files have a tag for each word, for which task is tagging, received conll',
      'Change dataset.type, or leave it out if it has a default. Run `limbeck schema` to see every key with its meaning.',
    ],
  },
};
