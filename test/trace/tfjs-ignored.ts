/** A test of tfjs-core that our backend does not run: all tests of `file` whose full name contains `test`. */
export interface Ignored {
  readonly file: string;
  readonly test: string;
  readonly why: string;
}

/** Test files of kernels that the backend does not have. */
export const unlisted: readonly { readonly file: string; readonly why: string }[] = [
  { file: 'image/crop_and_resize_test.js', why: 'CropAndResize: augmentation is done on typed arrays in src/data' },
  {
    file: 'image/rotate_with_offset_test.js',
    why: 'RotateWithOffset: augmentation is done on typed arrays in src/data',
  },
  { file: 'image/transform_test.js', why: 'Transform: augmentation is done on typed arrays in src/data' },
  { file: 'ragged_gather_test.js', why: 'RaggedGather: sizes depend on values; no layer of ours uses it' },
  { file: 'ragged_range_test.js', why: 'RaggedRange: sizes depend on values; no layer of ours uses it' },
  {
    file: 'ragged_tensor_to_tensor_test.js',
    why: 'RaggedTensorToTensor: sizes depend on values; no layer of ours uses it',
  },
  { file: 'sparse/sparse_fill_empty_rows_test.js', why: 'SparseFillEmptyRows: sizes depend on values' },
  {
    file: 'sparse/sparse_reshape_test.js',
    why: 'SparseReshape: bookkeeping of sparse tensors, which no layer of ours uses',
  },
  { file: 'sparse/sparse_segment_mean_test.js', why: 'SparseSegmentMean: the number of segments depends on values' },
  { file: 'sparse/sparse_segment_sum_test.js', why: 'SparseSegmentSum: the number of segments depends on values' },
  { file: 'string/static_regex_replace_test.js', why: 'StaticRegexReplace: no text processing in the graph' },
  { file: 'string/string_n_grams_test.js', why: 'StringNGrams: no text processing in the graph' },
  { file: 'string/string_split_test.js', why: 'StringSplit: no text processing in the graph' },
  { file: 'string/string_to_hash_bucket_fast_test.js', why: 'StringToHashBucketFast: no text processing in the graph' },
];

/** Single tests in files of kernels that the backend has. */
export const ignored: readonly Ignored[] = [
  {
    file: 'avg_pool_test.js',
    test: 'gradient x=[3,3,1] f=[3,3] s=1 p=explicit',
    why: 'expects the gradient divided by the whole window at padded borders, though forward counts only elements inside: ours is the derivative of the forward',
  },
  {
    file: 'depthwise_conv2d_test.js',
    test: 'throws error on dilations > 1',
    why: 'expects a refusal: our gradient of dilated convolutions exists',
  },
  {
    file: 'gather_test.js',
    test: 'throws when index is out of bound',
    why: 'indices have no values when the kernel is called; the runtime refuses them when it runs',
  },
  ...['max', 'min'].flatMap((op) =>
    ['1D, ties', 'ties, 2D', 'ties, 3D', 'ties, 4D, axes=[1, 2, 3]', 'ties, 4D, axes=[2, 3]'].map((test) => ({
      ...{ file: `${op}_test.js`, test: `${op} gradient: ${test}` },
      why: 'expects each of several equal values to have the whole gradient: ours is shared among them, as in PyTorch (amax)',
    })),
  ),
  ...['grad', 'gradient with clones'].map((test) => ({
    ...{ file: 'mirror_pad_test.js', test },
    why: 'expects the mirrored elements to have no share in the gradient: ours is the derivative of the forward',
  })),
];

/** Single tests outside the op tests. */
export const ignoredCore: readonly Ignored[] = [
  {
    file: 'gradients_test.js',
    test: 'errors if relevant ops are missing grads',
    why: 'expects comparisons to have no gradient: ours is zero, so that masks may depend on what is trained',
  },
];
