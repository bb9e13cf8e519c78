/** Value of a pixel without a class: it counts neither in the loss nor in the score. */
export const IGNORED = 255;
