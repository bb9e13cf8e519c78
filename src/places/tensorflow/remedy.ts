/** Remedy that lets libtensorflow use an existing card; undefined on systems without a set-up. */
export function tensorFlowRemedy(gpu: boolean, card: boolean, platform: string = process.platform): string | undefined {
  if (gpu || !card || platform !== 'linux') return undefined;
  return 'This machine has an NVIDIA card, which it does not use: npm run setup:tensorflow -- --cuda in a clone of Limbeck.';
}
