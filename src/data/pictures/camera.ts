interface Stream {
  getTracks(): { stop(): void }[];
}

/** Video of a page. */
interface Screen<S> {
  srcObject: S | null;
  play(): Promise<void>;
}

/** Shows the camera of a device in a video of a page, that at its back if there are two. Returns the function that ends it; rejects if the user or the browser refuses. */
export async function openCamera<S extends Stream>(
  video: Screen<S>,
  devices: { getUserMedia(wanted: object): Promise<S> },
): Promise<() => void> {
  const stream = await devices.getUserMedia({ video: { facingMode: 'environment' } });
  const close = (): void => {
    for (const track of stream.getTracks()) track.stop();
    video.srcObject = null;
  };
  try {
    video.srcObject = stream;
    await video.play();
  } catch (error) {
    close();
    throw error;
  }
  return close;
}
