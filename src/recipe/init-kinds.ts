/** Content of a sample, by which `limbeck init` chooses models and changes of samples. */
export type Kind = 'picture' | 'masks' | 'boxes' | 'points' | 'series' | 'array' | 'sound' | 'text' | 'words' | 'table';

/** Likely choices for a kind of data. */
export const KINDS: Readonly<
  Record<Kind, { readonly augment: readonly string[]; readonly teacher: string; readonly student: string }>
> = {
  picture: {
    augment: ['  # augment: [{ shift: 2 }, { flip: horizontal }]'],
    teacher: '{ model: wide-resnet, epochs: 20 }',
    student: 'ds-cnn',
  },
  masks: {
    augment: ['  augment: [{ flip: horizontal }]'],
    teacher: '{ model: unet, epochs: 20, batchSize: 16 }',
    student: 'seg-lraspp',
  },
  boxes: {
    augment: ['  augment: [{ flip: horizontal }]'],
    teacher: '{ model: det-small, epochs: 40 }',
    student: 'det-nano',
  },
  points: {
    augment: [
      '  # augment: [{ flip: horizontal }] # needs flipPairs: [[left hand, right hand]], or names that differ by left and right',
    ],
    teacher: '{ model: points-small, epochs: 40, batchSize: 8 }',
    student: 'points-nano',
  },
  series: {
    augment: ['  # augment: [{ jitter: 0.05 }, { scaling: 0.1 }, { timeWarp: 0.2 }] # docs/samples/sequences.md'],
    teacher: '{ model: tcn, filters: 64, dropout: 0.2, epochs: 20 }',
    student: 'cnn-1d',
  },
  array: { augment: [], teacher: '{ model: wide-resnet, epochs: 20 }', student: 'ds-cnn' },
  sound: {
    augment: [
      '  augment: [{ timeShift: 0.1 }, { gain: 6 }, { noise: [10, 50] }]',
      '  # features: { mels: 40, window: 0.03, hop: 0.02, specAugment: { timeWidth: 5, frequencyWidth: 5 } } # docs/samples/sounds.md',
    ],
    teacher: '{ model: resnet, depth: 8, epochs: 20 }',
    student: 'ds-cnn',
  },
  text: { augment: [], teacher: '{ model: text-transformer, size: 64, epochs: 10 }', student: 'embedding-bag' },
  words: {
    augment: [],
    teacher: '{ model: text-transformer, size: 64, epochs: 10, batchSize: 32 }',
    student: 'text-cnn',
  },
  table: { augment: [], teacher: '{ model: mlp, hidden: [512, 512], epochs: 20 }', student: 'mlp' },
};
