/** Classes of apps, whose parts are in the folder of each language. */
export const APP = {
  pictures: { NAME: 'Segmenter', DOC: 'Masks of pictures: a class for each pixel, drawn over them in colours.' },
};
