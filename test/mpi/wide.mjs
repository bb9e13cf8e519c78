/** Convolutions, which Muon updates as whole matrices, and a dense layer of so many weights that processes divide its update. */
export default ({ tf, inputShape, classes, seed }) => {
  const made = (i) => ({ kernelInitializer: tf.initializers.heNormal({ seed: seed + i }), activation: 'relu' });
  return tf.sequential({
    layers: [
      tf.layers.conv2d({ inputShape, filters: 8, kernelSize: 3, padding: 'same', ...made(0) }),
      tf.layers.conv2d({ filters: 16, kernelSize: 3, padding: 'same', ...made(1) }),
      tf.layers.flatten(),
      tf.layers.dense({ units: 320, ...made(2) }),
      tf.layers.dense({ units: classes, kernelInitializer: tf.initializers.glorotUniform({ seed: seed + 3 }) }),
    ],
  });
};
