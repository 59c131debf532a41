// The page's own script: what is under way, and what went wrong. Everything works without it.
(() => {
  'use strict';
  const banner = () => document.getElementById('neterr');

  // Texts stand in data- attributes of the banner, so that they are translated with the page.
  const show = (kind, code) => {
    const box = banner();
    if (!box) return;
    box.querySelector('p').textContent = box.dataset[kind] + (code ? ` ${box.dataset.code}${code}` : '');
    box.querySelector('.again').hidden = kind !== 'session';
    box.hidden = false;
  };

  const isPoll = (element) => element?.getAttribute?.('hx-trigger')?.startsWith('every');

  addEventListener('htmx:before:request', (event) => {
    const { ctx } = event.detail;
    if (isPoll(ctx.sourceElement)) return;
    if (banner()) banner().hidden = true;
    ctx.target?.setAttribute?.('aria-busy', 'true');
  });

  // On a phone the menu stands open above the page: it folds before the new page takes the focus.
  addEventListener('htmx:before:swap', (event) => {
    if (event.detail.ctx?.target?.id === 'main') document.querySelector('#menu details')?.removeAttribute('open');
  });

  addEventListener('htmx:finally:request', () => {
    document.querySelectorAll('[aria-busy]').forEach((element) => element.removeAttribute('aria-busy'));
  });

  addEventListener('htmx:error', (event) => {
    const { error, ctx } = event.detail;
    if (isPoll(ctx?.sourceElement)) return; // the next tick tries again
    const late = String(error?.message ?? error).includes('timeout') || ctx?.request?.signal?.reason === 'timeout';
    show(late ? 'timeout' : 'offline');
  });

  addEventListener('htmx:response:error', (event) => {
    const { ctx } = event.detail;
    const { status, headers } = ctx.response;
    if (status === 413) show('large');
    if (status === 401 && !headers?.get?.('HX-Redirect')) show('session');
    if (status >= 500 && !isPoll(ctx.sourceElement)) show('failure', headers?.get?.('X-Error-Code'));
  });
})();
