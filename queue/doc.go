// Package queue carries events from the server to MySQL.
package queue
