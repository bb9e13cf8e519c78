// == CHOOSE ==
const chooser = document.querySelector('input');
const told = document.querySelector('output');
chooser.onchange = async () => {
  try {
    await showPicture(await createImageBitmap(chooser.files[0]));
  } catch (error) {
    told.textContent = chooser.files[0].name + ': ' + error.message;
  }
};
const camera = document.querySelector('button');
let stream;
/** Draws the answer over what the camera sees, picture after picture, until it is stopped. */
camera.onclick = async () => {
  if (stream !== undefined) {
    for (const track of stream.getTracks()) track.stop();
    stream = undefined;
    camera.textContent = 'Camera';
    return;
  }
  try {
    stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: 'environment' } });
    camera.textContent = 'Stop';
    const video = Object.assign(document.createElement('video'), { muted: true, playsInline: true, srcObject: stream });
    await video.play();
    for (const live = entry(); stream !== undefined;) {
      await showPicture(await createImageBitmap(video), live);
      await new Promise((resolve) => setTimeout(resolve));
    }
  } catch (error) {
    stream = undefined;
    camera.textContent = 'Camera';
    told.textContent = 'camera: ' + error.message;
  }
};
