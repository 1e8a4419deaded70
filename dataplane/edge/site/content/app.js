// Asks for one resource again and again and shows where each answer came from.
const log = document.querySelector('#log');
const shown = ['cache-status', 'age', 'x-quartet-edge', 'server-timing'];

async function probe(path) {
  const started = performance.now();
  const response = await fetch(path, { cache: 'no-store', headers: {} });
  const took = (performance.now() - started).toFixed(1);
  const lines = shown.map((name) => `${name}: ${response.headers.get(name) ?? '-'}`);
  log.textContent = `${path} ${response.status} in ${took} ms\n${lines.join('\n')}`;
}

for (const button of document.querySelectorAll('button[data-path]')) {
  button.addEventListener('click', () => void probe(button.dataset.path));
}
