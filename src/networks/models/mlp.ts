import { input, layers, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { family, network } from './builder.ts';
import { integerList, real } from './options.ts';

export const mlp = family({
  doc: 'Fully connected layers with ReLU, for tables and small pictures.',
  options: {
    hidden: integerList([256, 128], 'Units of each hidden layer, first to last.'),
    dropout: real(0, 'Share of the hidden units that is dropped in training.', 0, 0.9),
  },
  build: ({ inputShape, classes, blocks }, { hidden, dropout }) => {
    const x = input({ shape: [...inputShape], name: 'input' });
    let y = inputShape.length === 1 ? x : (layers.flatten({ name: 'flatten' }).apply(x) as SymbolicTensor);
    hidden.forEach((units, i) => {
      y = blocks.relu(blocks.dense(y, `dense${i + 1}`, units), `dense${i + 1}_relu`);
      y = blocks.dropout(y, `dense${i + 1}_dropout`, dropout);
    });
    return network('mlp', x, blocks.dense(y, 'logits', classes, 'glorot-uniform'));
  },
});
