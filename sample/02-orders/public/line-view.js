import { showState as showStateLine } from './state-line.js';

const button = document.getElementById('cut');

/** A line that is open again has been mended, by hand or by the server. */
export function showState(state) {
  showStateLine(state);
  if (state.name === 'open') markLine(false);
}

export function markLine(isCut) {
  button.dataset.cut = isCut;
  button.textContent = isCut ? 'Mend the line' : 'Cut the line';
}
