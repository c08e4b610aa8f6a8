import { byId, setText } from './elements.js';

const dialog = byId('confirm', HTMLDialogElement);
const text = byId('confirm-text', HTMLParagraphElement);
const yes = byId('confirm-yes', HTMLButtonElement);
const no = byId('confirm-no', HTMLButtonElement);

yes.addEventListener('click', () => dialog.close('yes'));
no.addEventListener('click', () => dialog.close());

/** Asks before something that cannot be taken back. Resolves with whether it is to be done. */
export async function confirmed(question: string, button: string): Promise<boolean> {
  setText(text, question);
  setText(yes, button);
  dialog.returnValue = '';
  dialog.showModal();
  no.focus();
  await new Promise((resolve) => {
    dialog.addEventListener('close', resolve, { once: true });
  });
  return dialog.returnValue === 'yes';
}
