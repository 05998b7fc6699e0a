// Express with the middleware that most programs have.

"use strict";

const cookieParser = require("cookie-parser");
const express = require("express");
const methodOverride = require("method-override");

const app = express();
app.set("query parser", "extended");
for (const name of ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"]) {
  app.use(methodOverride(name));
}
app.use(cookieParser());

const understood = (area) => (request, response) =>
  response.json({
    area,
    method: request.method,
    path: request.path,
    host: request.host,
    subject: request.get("x-sub") ?? null,
    token: request.query.access_token ?? null,
    cookie: request.cookies.session_id ?? null,
  });

app.get("/item/:name", understood("item"));
app.post("/item/:name", understood("item"));
app.delete("/item/:name", understood("item"));
app.all("/admin", understood("admin"));

const server = app.listen(0, "127.0.0.1", () => console.log(server.address().port));
process.stdin.on("end", () => process.exit()).resume();
