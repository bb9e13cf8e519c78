import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
// For its side effect: it registers the gradients of all kernels.
import '@tensorflow/tfjs-layers';

/** Runs tests on tfjs' own cpu backend: the reference that everything else is compared with. */
export async function useCpu(): Promise<void> {
  // tfjs otherwise advertises its native backend at the first tensor.
  tf.env().set('IS_TEST', true);
  await tf.setBackend('cpu');
}
