registerProcessor(
  'microphone',
  class extends AudioWorkletProcessor {
    process([[values]]) {
      if (values !== undefined) this.port.postMessage(values.slice());
      return true;
    }
  },
);
