/**
 * Session option without a rewriting that is wrong: ONNX Runtime before 1.32 turns the zeros that a Pad adds before a MaxPool into padding of the MaxPool,
 * which no maximum counts. A window of negative numbers and zeros then has another maximum.
 */
export const WITHOUT_PAD_FUSION = { 'optimization.disable_specified_optimizers': 'Pad_Fusion' } as const;
