import * as tf from '@tensorflow/tfjs-core';

/** Sides xmin, ymin, xmax and ymax, each of shapes that broadcast. */
export type Sides = readonly [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor];

/**
 * Sides of boxes [batch, n, 4], for a table of points and boxes: [batch, n, 1] if they are those of points, [batch, 1, n] if of boxes; or of boxes
 * [n, 4] themselves, [n, 1].
 */
export function sides(boxes: tf.Tensor, as: 'points' | 'boxes' | 'rows'): Sides {
  const from = boxes.shape.slice(1).map(() => 0);
  const side = (i: number): tf.Tensor => {
    const one = tf.slice(boxes, [0, ...from.slice(1), i], [...boxes.shape.slice(0, -1).map(() => -1), 1]);
    return as === 'boxes' ? tf.transpose(one, [0, 2, 1]) : one;
  };
  return [side(0), side(1), side(2), side(3)];
}

/** Intersection over union, with the union. Sizes below 0 count as 0. */
export function unionsOf(a: Sides, b: Sides): { readonly iou: tf.Tensor; readonly union: tf.Tensor } {
  const area = ([x0, y0, x1, y1]: Sides): tf.Tensor => tf.mul(size(x0, x1), size(y0, y1));
  const shared = tf.mul(
    size(tf.maximum(a[0], b[0]), tf.minimum(a[2], b[2])),
    size(tf.maximum(a[1], b[1]), tf.minimum(a[3], b[3])),
  );
  const union = tf.sub(tf.add(area(a), area(b)), shared);
  return { iou: tf.div(shared, tf.add(union, 1e-9)), union };
}

/** 1 - GIoU (Rezatofighi et al. 2019, "Generalized intersection over union"): 0 for equal boxes, towards 2 for boxes far from each other. */
export function generalizedLoss(a: Sides, b: Sides): tf.Tensor {
  const { iou, union } = unionsOf(a, b);
  const hull = tf.mul(
    size(tf.minimum(a[0], b[0]), tf.maximum(a[2], b[2])),
    size(tf.minimum(a[1], b[1]), tf.maximum(a[3], b[3])),
  );
  return tf.add(tf.sub(1, iou), tf.div(tf.sub(hull, union), tf.add(hull, 1e-9)));
}

function size(from: tf.Tensor, to: tf.Tensor): tf.Tensor {
  return tf.relu(tf.sub(to, from));
}
