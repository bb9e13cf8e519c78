/** Libraries of TensorFlow then say warnings and errors only; to be called before one is loaded. Your own setting stays. */
export function quietTensorFlow(): void {
  process.env['TF_CPP_MIN_LOG_LEVEL'] ??= '1';
}
