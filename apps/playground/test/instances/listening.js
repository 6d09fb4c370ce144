/** Listens, and ends when it is asked for `/end`. */
import { createServer } from "node:http";
import process from "node:process";

const server = createServer((request, response) => {
  if (request.url === "/end") process.exit(3);
  response.writeHead(404).end();
});
server.listen(Number(process.env.PORT), "127.0.0.1", () => {
  console.log(`listening ws://127.0.0.1:${server.address().port}`);
});
