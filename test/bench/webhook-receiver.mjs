// A merchant who accepts every event at once.
import {createServer} from 'node:http';
import {answerCommands} from './answer.mjs';

const server = createServer((request, response) => {
  request.resume();
  request.on('end', () => response.writeHead(200).end());
});
server.listen({host: '127.0.0.1', port: 0}, () =>
  answerCommands({address: () => ({url: `http://127.0.0.1:${server.address().port}/webhook`})}),
);
