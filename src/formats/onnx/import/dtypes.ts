/** Ops that take other types than float32. */
export const ANY_TYPE: ReadonlySet<string> = new Set([
  ...[
    'Cast',
    'Reshape',
    'Transpose',
    'Slice',
    'Concat',
    'Split',
    'BroadcastTo',
    'GatherV2',
    'Reverse',
    'Tile',
    'Select',
    'OneHot',
    'UnsortedSegmentSum',
  ],
  ...['Equal', 'NotEqual', 'Greater', 'GreaterEqual', 'Less', 'LessEqual', 'LogicalAnd', 'LogicalOr', 'LogicalNot'],
]);

/** Ops whose integer results equal ONNX'. */
export const INTEGERS: ReadonlySet<string> = new Set([
  ...['Add', 'Sub', 'Multiply', 'Maximum', 'Minimum', 'Neg', 'Abs', 'FloorDiv', 'Mod', 'Pad', 'Cumsum'],
  ...['Sum', 'Max', 'Min', 'Prod', 'TopK', 'ArgMax', 'ArgMin'],
]);
